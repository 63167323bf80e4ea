"""What a pilot found, on the screen and as the evidence beside the protocol it recommends."""

from collections.abc import Mapping, Sequence
from math import isfinite

from rich.table import Table

from studies.estimates.variance import Deviation

from ..config import Protocol
from ..options import in_words
from .choice import sees_enough
from .facts import Row, Size

STUDY = 200  # trainings of the study that is spoken of
COLUMNS = ("epochs x images", "avg", "n", "between sd", "seed sd", "ratio", "a min", "tau", "s")
LEGEND = (
    "avg: with averaged weights; ratio: between² / seed², what one training tells; a min: that "
    "over its minutes; tau: how two seeds agree in their ranks; s: of one training"
)


def table(found: Sequence[Row], chosen: Row) -> Table:
    """Return a line for each protocol with and without averaging, the recommended one marked."""
    made = Table(
        title="What single trainings see, in points of accuracy (95 % intervals)",
        title_justify="left",
        title_style="bold",
    )
    for name in COLUMNS:
        made.add_column(name, justify="right", no_wrap=True)
    for row in found:
        made.add_row(*_cells(row, "→ " if row is chosen else ""))
    return made


def closing(
    chosen: Row, few: Sequence[Size], protocol: Protocol, study_seconds: float
) -> list[str]:
    """Return the lines below the table: validation images, recommendation, and what it can do."""
    curve = protocol.curve_images or few[-1].num_images
    lines = [
        LEGEND,
        "fewer validation images add to the difference of two trainings: " + _sizes_in_words(few),
        f"recommended: {protocol.epochs} epochs, {protocol.train_images} images, averaging "
        f"{protocol.averaging:g}, {curve} validation images in epochs before the last",
        _study_in_words(chosen, study_seconds),
    ]
    if not sees_enough(chosen):
        lines.append(
            "warning: no protocol that fits surely shows networks that differ by more than its "
            "noise (a ratio of 1, an interval of between sd above 0); recommended is the longest; "
            "a longer --budget tries longer trainings"
        )
    return lines


def evidence(
    found: Sequence[Row], chosen: Row, few: Sequence[Size], facts: Mapping[str, object]
) -> dict[str, object]:
    """Return the rows, the choice and the further facts as plain values."""
    each = chosen.components.trainings_each
    return {
        **facts,
        "rows": [_facts(row) for row in found],
        "chosen": list(found).index(chosen),
        "sees_enough": sees_enough(chosen),
        "trainings_to_tell_two_apart": each if isfinite(each) else None,
        "told_apart_by_200_trainings": chosen.components.num_told_apart(STUDY),
        "validation_images": {str(one.num_images): one.added_sd for one in few},
    }


def _cells(row: Row, mark: str) -> tuple[str, ...]:
    facts, tau = row.components, row.retest
    return (
        f"{mark}{row.epochs} x {row.train_images}",
        "yes" if row.averaged else "no",
        str(facts.num_trainings),
        _points(facts.between),
        _points(facts.seed),
        f"{facts.signal:.2f}",
        f"{60 * row.efficiency:.2f}",
        "?" if tau is None else f"{tau.tau:.2f} ({tau.low:.2f}, {tau.high:.2f})",
        f"{row.seconds:.1f}",
    )


def _points(one: Deviation) -> str:
    return f"{100 * one.sd:.2f} ({100 * one.low:.2f}, {100 * one.high:.2f})"


def _sizes_in_words(few: Sequence[Size]) -> str:
    parts = (f"{o.num_images}: {100 * o.added_sd:.2f} points ({o.share:.0%})" for o in few[:-1])
    return f"{', '.join(parts)} of its variance with all {few[-1].num_images}"


def _study_in_words(chosen: Row, seconds: float) -> str:
    facts = chosen.components
    number, apart = facts.num_told_apart(STUDY), 100 * 2**0.5 * facts.between.sd
    opening = f"a study of {STUDY} trainings with it takes about {in_words(seconds)}"
    opening += " and" if sees_enough(chosen) else " and, if these uncertain numbers hold,"
    if number < 2:
        return f"{opening} can tell no two of such networks apart"
    return (
        f"{opening} can tell about {number} such networks apart: two of them differ by "
        f"{apart:.2f} points (root mean square), which {facts.trainings_each:.0f} "
        f"training{'s' if facts.trainings_each > 1 else ''} of each show"
    )


def _facts(row: Row) -> dict[str, object]:
    facts = row.components
    return {
        "epochs": row.epochs,
        "train_images": row.train_images,
        "averaged": row.averaged,
        "num_trainings": facts.num_trainings,
        "between_sd": _plain(facts.between),
        "seed_sd": _plain(facts.seed),
        "retest_tau": row.retest and [row.retest.tau, row.retest.low, row.retest.high],
        "seconds": row.seconds,
    }


def _plain(one: Deviation) -> list[float]:
    return [one.sd, one.low, one.high]
