"""Architectures and numbers in words, for tables and sentences."""

from .architecture import Architecture
from .place import Blocks
from .placement import Placement

IN_BLOCKS: dict[Blocks, str] = {
    "all": "in",
    "first": "in the first block of",
    "last": "in the last block of",
    "alternate": "in every other block of",
}


def placements_in_words(architecture: Architecture) -> str:
    """Return, say, `se r16 in stages 2, 3 (last block)`, or `plain`."""
    grouped: dict[str, list[int]] = {}
    for number, placements in enumerate(architecture.stages, start=1):
        for placement in placements:
            grouped.setdefault(_phrase(placement), []).append(number)
    parts = []
    for phrase, numbers in grouped.items():
        what, _, where = phrase.partition("|")
        stages = "stage" if len(numbers) == 1 else "stages"
        listed = ", ".join(str(number) for number in numbers)
        parts.append(f"{what} {where} {stages} {listed}".replace("  ", " "))
    return "; ".join(parts) or "plain"


def count_in_words(number: float) -> str:
    """Return a count with three digits and its unit: `40.6 M`, `1.24 k`."""
    for limit, unit in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(number) >= limit:
            return f"{number / limit:.3g}{unit}" if number < 1000 * limit else f"{number:.3g}"
    return f"{number:.3g}"


def share_in_words(value: float, plain: float) -> str:
    """Return the difference from plain as a signed percentage with a fitting precision."""
    percent = 100 * (value / plain - 1)
    if percent == 0:
        return "+0 %"
    digits = 0 if abs(percent) >= 10 else 1 if abs(percent) >= 1 else 2
    return f"{percent:+.{digits}f} %" if abs(percent) >= 0.005 else f"{percent:+.4f} %"


def _phrase(placement: Placement) -> str:
    """Return what, and the words before the stage; the usual position goes without saying."""
    what = placement.attention.in_words() + (" gain zero" if placement.gain == "zero" else "")
    if placement.position == "stage_end":
        return f"{what}|behind"
    at = "" if placement.position == "residual" else f"at {placement.position} "
    return f"{what}|{at}{IN_BLOCKS[placement.blocks]}"
