"""Architectures and attention at work as pictures."""
