"""Seeds for each purpose, derived from the study's seed; none is ever used twice."""

import hashlib


def derived_seed(study_seed: int, purpose: str, index: int | str) -> int:
    """Return 31 bits that depend on all three arguments and on nothing else."""
    text = f"{study_seed}/{purpose}/{index}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
