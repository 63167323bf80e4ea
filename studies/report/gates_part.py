"""What the gates of the front do, on the page."""

from collections.abc import Sequence

from markupsafe import Markup

from space import placements_in_words

from .facts import ReportFacts
from .gates import ModuleRow
from .parts import Photo, Section, Table

HEAD = (
    *("row", "module", "n", "changes its input by", "gate", "mean", "spread", "saturated"),
    "values",
)
NOTHING_STORED = "No training of the front has stored what its gates did."
BAR, HIGH = 4, 22  # from bar to bar of a histogram, and the height of the highest


def gates_section(facts: ReportFacts) -> Section:
    """Return the statistics of each module, and its first gate's values as a histogram."""
    title = "What the gates of the front do"
    if not facts.gates:
        return Section("gates", title, (NOTHING_STORED,))
    return Section(
        "gates",
        title,
        (
            "By one validation batch after each training. A module that changes nothing, or whose "
            "gate is the same for every image, does nothing.",
        ),
        photos=_photos(facts),
        tables=(Table(HEAD, tuple(_gate_row(one) for one in facts.gates)),),
    )


def _photos(facts: ReportFacts) -> tuple[Photo, ...]:
    """Return what the gates of each row do with a few images, where the study has kept that."""
    names = [placements_in_words(row.architecture) for row in facts.front.rows]
    return tuple(
        Photo(
            png,
            f"images and what each attention module of row {number} does with them",
            f"Row {number}, {names[number - 1]}: one of its trainings, by real validation images.",
        )
        for number, png in facts.gate_pictures.items()
    )


def _gate_row(one: ModuleRow) -> tuple[str | Markup, ...]:
    return (
        str(one.row),
        one.module,
        str(one.num_trainings),
        _percent(one.gain),
        one.gate,
        "" if one.mean is None else f"{one.mean:.3g}",
        "" if one.spread is None else f"{one.spread:.2g}",
        _percent(one.saturation),
        _bars(one.shares),
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.3g} %"


def _bars(shares: Sequence[float]) -> Markup:
    """Return a histogram as small as a word."""
    if not shares:
        return Markup("")
    most = max(shares) or 1.0
    heights = [HIGH * share / most for share in shares]
    bars = "".join(
        f'<rect x="{BAR * i}" y="{HIGH - height:.3g}" width="{BAR - 1}" height="{height:.3g}"/>'
        for i, height in enumerate(heights)
    )
    return Markup(  # of numbers only
        f'<svg class="bars" viewBox="0 0 {BAR * len(shares)} {HIGH}" role="img" '
        f'aria-label="histogram of the values, low to high">{bars}</svg>'
    )
