"""What early epochs say of a training's end, on the screen and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Literal

from rich.table import Table

from space import Refusal
from studies import Epoch, Evaluation, Fidelity, Run, Tau

FORMATS = ("table", "json")
LEAST = 8  # networks trained twice; of fewer the intervals hold nearly everything
MOST_LINES = 12
NAMES = {
    "accuracy": "accuracy",
    "validation_loss": "validation loss",
    "training_losses": "sum of training losses",
}
Part = Literal["everyone", "better_half"]
TITLES: dict[Part, str] = {"everyone": "all networks", "better_half": "the better half"}


def replicated(
    found: Sequence[Evaluation], curves: Mapping[int, Sequence[Epoch]], num_epochs: int
) -> dict[str, list[Run]]:
    """Return the full trainings of every network that has two, by digest.

    Raises:
        Refusal: there are too few such networks.
    """
    grouped: dict[str, list[Run]] = {}
    for one in found:
        curve = curves.get(one.id, ())
        if one.accuracy is not None and len(curve) == num_epochs:
            grouped.setdefault(one.digest, []).append(Run(tuple(curve), one.accuracy))
    kept = {digest: runs for digest, runs in grouped.items() if len(runs) > 1}
    if len(kept) < LEAST:
        raise Refusal(
            f"fidelity needs at least {LEAST} networks trained twice to their end, got "
            f"{len(kept)}; go on with more --trials, or give a new study --replicates 0.5"
        )
    return kept


def tables(found: Fidelity) -> tuple[Table, ...]:
    """Return one table for all networks and one for the better half."""
    return tuple(_table(found, part) for part in TITLES)


def closing(found: Fidelity) -> str:
    """Return how to read the tables."""
    return (
        f"Kendall's tau of a signal with the final accuracy of another seed; n = "
        f"{found.num_architectures} networks, {found.num_runs} trainings each; 95 % intervals; "
        "two full trainings agree no better than the line `end`, and no signal should"
    )


def as_json(found: Fidelity) -> str:
    """Return everything."""
    return json.dumps(asdict(found), indent=2)


def _table(found: Fidelity, part: Part) -> Table:
    made = Table(
        title=f"Rank correlation across seeds: {TITLES[part]}",
        title_justify="left",
        title_style="bold",
    )
    for name in ("epoch", *NAMES.values()):
        made.add_column(name, justify="right", no_wrap=True)
    taus = {(one.signal, one.epoch): getattr(one.agreement, part) for one in found.rungs}
    for epoch in _epochs(found.num_epochs):
        made.add_row(str(epoch), *(_words(taus[name, epoch]) for name in NAMES))
    made.add_row("end", _words(getattr(found.retest, part)))
    return made


def _epochs(num_epochs: int) -> list[int]:
    """Return all epochs, or some that are evenly apart."""
    lines = min(num_epochs, MOST_LINES)
    return [-(-num_epochs * line // lines) for line in range(1, lines + 1)]


def _words(one: Tau) -> str:
    return f"{one.tau:.2f} ({one.low:.2f} to {one.high:.2f})"
