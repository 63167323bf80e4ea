"""Settings of studies that older versions made, as this version reads them."""

from collections.abc import Mapping
from fractions import Fraction
from math import floor

from space import cost, plain

# What later versions let choose, as it was before: a study goes on as it began.
BEFORE: Mapping[str, object] = {
    "averaging": 0.0,
    "curve_images": None,
    "recipe": "study",
    "early_stop": False,
    "audit": 0.0,
    "replicates": 0.0,
    "max_macs": None,
    "max_params": None,
}


def up_to_date(stored: Mapping[str, object]) -> dict[str, object]:
    """Return the stored settings with what they lack.

    A `budget` was the most of the study's cost over the plain network's; it is a limit now.
    """
    found = {**BEFORE, **stored}
    ratio = found.pop("budget", None)
    if ratio is not None:
        name, backbone = str(found["cost"]), str(found["backbone"])
        least = cost(plain(backbone))[name]
        found[f"max_{name}"] = floor(Fraction(str(ratio)) * least)
    return found
