"""Architectures and numbers in words, for tables and sentences."""

from .architecture import Architecture
from .place import Blocks, Position
from .placement import Placement

IN_BLOCKS: dict[Blocks, str] = {
    "all": "in",
    "first": "in the first block of",
    "last": "in the last block of",
    "alternate": "in every other block of",
}


def placements_in_words(architecture: Architecture) -> str:
    """Return, say, `se r16 in stages 2, 3 (last block)`, or `plain`.

    Stages with equal words have equal placements, in the order in which they are applied.
    """
    grouped: dict[tuple[str, ...], list[int]] = {}
    for number, placements in enumerate(architecture.stages, start=1):
        for phrases in _by_position(placements):
            grouped.setdefault(phrases, []).append(number)
    return "; ".join(_sentence(*one) for one in grouped.items()) or "plain"


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


def _by_position(placements: tuple[Placement, ...]) -> list[tuple[str, ...]]:
    """Return, for each position, what stands there: the order matters within a position only."""
    found: dict[Position, tuple[str, ...]] = {}
    for one in placements:
        found[one.position] = (*found.get(one.position, ()), f"{_what(one)}|{_where(one)}")
    return list(found.values())


def _sentence(phrases: tuple[str, ...], numbers: list[int]) -> str:
    """Return what is applied in turn, where, and in which stages."""
    stages = f"stage{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
    pairs = [phrase.split("|") for phrase in phrases]
    if len({where for _, where in pairs}) == 1:
        return f"{' then '.join(what for what, _ in pairs)} {pairs[0][1]} {stages}"
    return ", then ".join(f"{what} {where} {stages}" for what, where in pairs)


def _what(placement: Placement) -> str:
    """Return the mechanism with all that is not usual about it."""
    attention = placement.attention
    fields = type(attention).model_fields
    unusual = "".join(
        f" {name} {getattr(attention, name)}"
        for name in fields
        if name not in attention.searched and getattr(attention, name) != fields[name].default
    )
    gain = " gain zero" if placement.gain == "zero" else ""
    return f"{attention.in_words()}{unusual}{gain}"


def _where(placement: Placement) -> str:
    """Return the words before the stage; the usual position goes without saying."""
    if placement.position == "stage_end":
        return "behind"
    at = "" if placement.position == "residual" else f"at {placement.position} "
    return f"{at}{IN_BLOCKS[placement.blocks]}"
