"""The comparison of baselines on the screen: as a table, as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from math import inf, sqrt
from statistics import mean, stdev

from rich.table import Table
from scipy.special import stdtrit

from space import cost, count_in_words, placements_in_words, share_in_words
from studies.confirmation.comparison import Interval

from .baselines import PLAIN, Row
from .comparison_table import Column, comparison_table

FORMATS = ("table", "json")


def half_width(accuracies: Sequence[float]) -> float:
    """Return the half-width of the mean's 95 % interval, Student's; infinite of one training."""
    number = len(accuracies)
    if number < 2:
        return inf
    return float(stdtrit(number - 1, 0.975)) * stdev(accuracies) / sqrt(number)


def table(found: Sequence[Row], title: str, measured: str, width: int) -> Table:
    """Return a row for each network: costs, accuracy, gain over plain, time."""
    labels = ("params", "MACs", f"{measured}, %", "gain (95 %), points", "s/epoch", "n")
    columns = [Column(one) for one in labels]
    return comparison_table(title, columns, [_cells(one, found[0]) for one in found], width)


def closing(found: Sequence[Row]) -> list[str]:
    """Return the lines below the table."""
    number = sum(one.gain is not None for one in found)
    lines = [
        f"accuracy ± Student's 95 % of its own seeds; gains: Dunnett's intervals of {number} "
        f"comparison{'' if number == 1 else 's'} with plain, 95 % together; s/epoch of a worker "
        "beside the others, validation included"
    ]
    lines += [
        f"{one.name}: {one.num_failed} trainings failed{'' if one.accuracies else '; left out'}"
        for one in found
        if one.num_failed
    ]
    return [*lines, f"verdict: {verdict(found)}"]


def verdict(found: Sequence[Row]) -> str:
    """Return who is told apart from plain, in one sentence."""
    known = {one.name: one.gain for one in found if one.gain is not None}
    if not known:
        return "nothing can be said: fewer than two seeds of each network were trained"
    better = [f"{name} {_points(gain)}" for name, gain in known.items() if gain.low > 0]
    worse = [f"{name} {_points(gain)}" for name, gain in known.items() if gain.high < 0]
    if not better and not worse:
        return f"none of {len(known)} is distinguishable from plain"
    return (
        f"better than plain: {', '.join(better) or 'none'}; worse: {', '.join(worse) or 'none'}; "
        f"undecided: {len(known) - len(better) - len(worse)}"
    )


def as_json(found: Sequence[Row], facts: dict[str, object]) -> str:
    """Return the facts of the trainings and a row for each network; accuracies 0 to 1."""
    rows = [
        {
            "name": one.name,
            "accuracies": one.accuracies,
            "gain": one.gain and asdict(one.gain),
            "epoch_seconds": one.epoch_seconds,
            "num_failed": one.num_failed,
            **asdict(cost(one.architecture)),
            "architecture": one.architecture.model_dump(mode="json"),
        }
        for one in found
    ]
    return json.dumps({**facts, "rows": rows, "verdict": verdict(found)}, indent=2)


def _cells(one: Row, base: Row) -> tuple[str, ...]:
    own, least = cost(one.architecture), cost(base.architecture)
    words = placements_in_words(one.architecture)
    wide = half_width(one.accuracies)
    error = "?" if wide == inf else f"{100 * wide:.2f}"
    return (
        PLAIN if one.architecture.is_plain else words,
        f"{count_in_words(own.params)} ({share_in_words(own.params, least.params)})",
        f"{count_in_words(own.macs)} ({share_in_words(own.macs, least.macs)})",
        f"{100 * mean(one.accuracies):.2f} ± {error}" if one.accuracies else "?",
        "" if one.gain is None else _points(one.gain),
        "?" if one.epoch_seconds is None else f"{one.epoch_seconds:.1f}",
        str(len(one.accuracies)),
    )


def _points(gain: Interval) -> str:
    return f"{100 * gain.value:+.2f} ({100 * gain.low:+.2f} to {100 * gain.high:+.2f})"
