"""The learning curves of a study, told apart by what became of their networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from space import placements_in_words

from ..front import Front
from ..store.records import Evaluation
from .progress import Curves

Fate = Literal["front", "other", "stopped"]


@dataclass(frozen=True, slots=True)
class Curve:
    """One training: validation accuracy in percent after each epoch, from the first."""

    row: int | None  # of the front, from 1
    fate: Fate
    words: str
    percents: tuple[float, ...]


def learning(front: Front, found: Sequence[Evaluation], curves: Curves) -> tuple[Curve, ...]:
    """Return the curve of each training that counts; those without an epoch are left out."""
    rows = {row.digest: number for number, row in enumerate(front.rows, start=1)}
    return tuple(
        Curve(
            rows.get(one.digest) if one.state == "complete" else None,
            _fate(one, one.digest in rows),
            placements_in_words(one.architecture),
            tuple(100 * epoch.accuracy for epoch in curves[one.id]),
        )
        for one in found
        if one.counts and curves.get(one.id)
    )


def _fate(one: Evaluation, is_on_front: bool) -> Fate:
    if one.state == "stopped":
        return "stopped"
    return "front" if is_on_front else "other"
