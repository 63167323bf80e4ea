"""What each mechanism does at each stage, and how much each choice matters."""
