"""What can a protocol see? Measured by a few very different networks, before a study spends."""
