"""Data, augmentation, schedule and loop: the only torch in this package."""
