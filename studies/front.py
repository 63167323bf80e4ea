"""The Pareto front of estimated accuracy against exact cost, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from space import Architecture, Cost, cost, cost_axis, digest, plain

from .estimates.posterior import (
    Estimate,
    Forecast,
    Noise,
    Posterior,
    estimates,
    pooled_noise,
    posterior_of,
)
from .paired import Difference, flip_variance, paired_difference
from .store.evaluations import completed
from .store.records import Evaluation

CONFIDENCE = 0.975  # that the gain over plain is above zero


@dataclass(frozen=True, slots=True)
class Point:
    """One architecture of the study: what it costs and what is known of its accuracy."""

    trials: tuple[int, ...]  # the first one and its replicates
    digest: str
    architecture: Architecture
    cost: Cost
    estimate: Estimate
    correct: tuple[bytes, ...]  # of each run, one bit for each validation image

    @property
    def trial(self) -> int:
        """Return the number of its first trial."""
        return self.trials[0]


@dataclass(frozen=True, slots=True)
class Reference:
    """A plain network of another depth, trained in the same protocol, outside the study."""

    name: str
    cost: Cost
    accuracy: float
    num_evaluations: int


@dataclass(frozen=True, slots=True)
class Front:
    """Everything that the table, the figure and the export read.

    `rows` are cheapest first; the first is the plain network, which nothing is cheaper than, also
    where a mechanism without parameters and MACs beats it.
    """

    cost_name: str
    rows: tuple[Point, ...]
    points: tuple[Point, ...]
    references: tuple[Reference, ...]
    plain_cost: Cost
    noise: Noise | None
    flips: float
    num_trainings: int
    posterior: Posterior | None = None  # None where the noise is unknown
    num_ended: int = 0  # trainings that it is made of: references and stopped ones included

    @property
    def plain(self) -> Point | None:
        """Return the plain network, if it was trained."""
        return next((one for one in self.points if one.architecture.is_plain), None)


def front_of(
    found: Sequence[Evaluation],
    backbone: str,
    cost_name: str,
    forecasts: Mapping[int, Forecast] | None = None,
) -> Front:
    """Return the front of a study's evaluations against `macs` or `params`.

    Forecasts, by the evaluation's id, are of trainings that were stopped: what they say of their
    networks and of alike ones counts, but none of those is on the front for it.
    """
    done = completed(found)
    base = plain(backbone)
    grouped = _by_digest(done)
    accuracies = {key: [one.accuracy or 0.0 for one in runs] for key, runs in grouped}
    flips = flip_variance([[one.correct or b"" for one in runs] for _, runs in grouped])
    stopped = [(one, forecasts[one.id]) for one in found if forecasts and one.id in forecasts]
    posterior = posterior_of(
        accuracies,
        digest(base),
        architectures={one.digest: one.architecture for one in found},
        forecasts=_forecasts(stopped),
        least_noise=sqrt(flips),
    )
    known = estimates(accuracies, posterior)
    points = tuple(_point(runs, known[key]) for key, runs in grouped)
    return Front(
        cost_name=cost_name,
        rows=undominated(points, cost_name),
        points=points,
        references=_references(found),
        plain_cost=cost(base),
        noise=pooled_noise(accuracies),
        flips=flips,
        num_trainings=len(done),
        posterior=posterior,
        num_ended=sum(one.state in ("complete", "stopped") for one in found),
    )


def undominated(points: Sequence[Point], cost_name: str) -> tuple[Point, ...]:
    """Return the points that no cheaper or equally cheap one matches, cheapest first.

    The plain network stays: every other row is read against it.
    """
    kept: list[Point] = []

    def place(point: Point) -> tuple[int, bool, float, int]:
        own = not point.architecture.is_plain
        return point.cost[cost_name], own, -point.estimate.accuracy, point.trial

    for point in sorted(points, key=place):
        if not kept or point.estimate.accuracy > kept[-1].estimate.accuracy:
            kept.append(point)
    return tuple(kept)


def difference(front: Front, first: Point, second: Point) -> Difference:
    """Return the paired difference of two points."""
    return paired_difference(first.correct, second.correct, front.noise, front.flips)


def best(front: Front) -> Point:
    """Return the row of the highest estimate: the dearest one."""
    return front.rows[-1]


def distinguishable(front: Front) -> Point | None:
    """Return the row of the largest gain among those whose gain is above zero for sure."""
    certain = [row for row in front.rows if row.estimate.probability_better > CONFIDENCE]
    return max(certain, key=lambda row: row.estimate.gain, default=None)


def recommended(front: Front) -> Point:
    """Return the cheapest row whose paired difference from the best includes zero.

    The difference is that of the estimates, since the best of many raw means is a lucky one; its
    error is the paired one. Where no row is distinguishable from plain, plain it is.
    """
    if distinguishable(front) is None:
        return front.rows[0]
    top = best(front)
    return next(row for row in front.rows if row is top or _like(front, row, top))


def knee(front: Front) -> Point:
    """Return the row farthest above the chord from the first to the last, on the cost axis.

    Source: Das, On characterizing the knee of the Pareto curve, Structural Optimization 18, 1999.
    """
    place = [
        cost_axis(r.cost[front.cost_name], front.plain_cost[front.cost_name]) for r in front.rows
    ]
    height = [row.estimate.accuracy for row in front.rows]
    run, rise = place[-1] - place[0], height[-1] - height[0]
    if run == 0 or rise == 0:
        return front.rows[0]
    above = [
        (h - height[0]) / rise - (x - place[0]) / run for x, h in zip(place, height, strict=True)
    ]
    return front.rows[above.index(max(above))]


def _like(front: Front, row: Point, top: Point) -> bool:
    gap = top.estimate.accuracy - row.estimate.accuracy
    return replace(difference(front, top, row), mean=gap).includes_zero


def _by_digest(done: Sequence[Evaluation]) -> list[tuple[str, list[Evaluation]]]:
    grouped: dict[str, list[Evaluation]] = {}
    for one in done:
        grouped.setdefault(one.digest, []).append(one)
    return list(grouped.items())


def _forecasts(stopped: Sequence[tuple[Evaluation, Forecast]]) -> dict[str, list[Forecast]]:
    grouped: dict[str, list[Forecast]] = {}
    for one, forecast in stopped:
        grouped.setdefault(one.digest, []).append(forecast)
    return grouped


def _point(runs: list[Evaluation], estimate: Estimate) -> Point:
    first = runs[0]
    return Point(
        trials=tuple(one.trial for one in runs if one.trial is not None),
        digest=first.digest,
        architecture=first.architecture,
        cost=first.cost,
        estimate=estimate,
        correct=tuple(one.correct or b"" for one in runs),
    )


def _references(found: Sequence[Evaluation]) -> tuple[Reference, ...]:
    done = [one for one in found if one.purpose == "reference" and one.state == "complete"]
    lines = []
    for _, runs in _by_digest(done):
        mean = sum(one.accuracy or 0.0 for one in runs) / len(runs)
        lines.append(Reference(runs[0].architecture.backbone, runs[0].cost, mean, len(runs)))
    return tuple(sorted(lines, key=lambda one: one.cost.macs))
