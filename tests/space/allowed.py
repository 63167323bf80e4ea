"""Every value that was ever allowed in a file or proposed in a study: add, never rename."""

from typing import Any

PROPOSED: dict[str, dict[str, tuple[Any, ...]]] = {
    "se": {"reduction": (4, 8, 16)},
    "cbam": {"reduction": (4, 8, 16), "kernel": (3, 7)},
    "non_local": {
        "pairwise": ("embedded_gaussian", "dot_product", "gaussian", "concatenation"),
        "reduction": (2, 4, 8),
        "sub_sample": (False, True),
    },
    "dual": {
        "branches": ("position", "channel", "both"),
        "reduction": (4, 8),
        "channel_scores": ("flipped", "scaled", "cosine"),
    },
    "criss_cross": {"reduction": (4, 8), "recurrences": (1, 2)},
    "gam": {
        "variant": ("full", "grouped", "factorised", "depthwise"),
        "reduction": (4, 8, 16),
        "kernel": (3, 5, 7),
        "groups": (2, 4),
    },
    "eca": {"kernel": ("adaptive", 3, 5, 7)},
    "gct": {"norm": ("l2", "l1")},
    "bam": {"reduction": (4, 8, 16), "dilation": (1, 2, 4)},
    "coord": {"reduction": (8, 16, 32)},
    "triplet": {"kernel": (3, 7)},
    "simam": {"regulariser": (1e-4, 1e-1)},
    "gc": {"reduction": (4, 8, 16)},
    "double": {"reduction": (2, 4, 8)},
    "mhsa": {"heads": (2, 4, 8)},
    "lka": {"dilation": (2, 3)},
}
# Values that files may hold, where these are not the proposed ones.
ALLOWED: dict[str, dict[str, tuple[Any, ...]]] = {
    "se": {"reduction": (2, 4, 8, 16, 32), "min_width": (1, 4, 8), "bias": (True, False)},
    "cbam": {
        "reduction": (2, 4, 8, 16, 32),
        "min_width": (1, 4, 8),
        "bias": (True, False),
        "kernel": (3, 5, 7),
    },
    "non_local": {},
    "dual": {"reduction": (2, 4, 8)},
    "criss_cross": {"reduction": (2, 4, 8)},
    "gam": {"min_width": (1, 4, 8)},
    "eca": {"kernel": ("adaptive", 3, 5, 7, 9)},
    "gct": {},
    "bam": {"min_width": (1, 4, 8)},
    "coord": {"min_width": (4, 8)},
    "triplet": {"kernel": (3, 5, 7)},
    "simam": {},
    "gc": {"min_width": (4, 8)},
    "double": {},
    "mhsa": {"heads": (1, 2, 4, 8)},
    "lka": {},
}


def allowed_values(kind: str) -> dict[str, tuple[Any, ...]]:
    """Return every hyperparameter with all the values that files may hold."""
    return {**PROPOSED[kind], **ALLOWED[kind]}
