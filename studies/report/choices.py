"""The choices of every trained network side by side: facts of the parallel coordinates."""

from dataclasses import dataclass

from space import MECHANISMS, cost_axis, placements_in_words

from ..front import Front

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Line:
    """One network: what stands in each stage, its place on the cost axis, its estimate."""

    kinds: tuple[str, ...]
    place: float
    percent: float
    is_on_front: bool
    words: str


@dataclass(frozen=True, slots=True)
class Choices:
    """All networks; the options of a stage are those that were trained somewhere."""

    options: tuple[str, ...]
    lines: tuple[Line, ...]
    cost_name: str


def choices(front: Front) -> Choices:
    """Return a line for each network, the front's last: they are drawn over the others."""
    on_front = {row.digest for row in front.rows}
    start = front.plain_cost[front.cost_name]
    lines = [
        Line(
            tuple(
                "+".join(p.attention.kind for p in own) or NOTHING
                for own in one.architecture.stages
            ),
            cost_axis(one.cost[front.cost_name], start),
            100 * one.estimate.accuracy,
            one.digest in on_front,
            placements_in_words(one.architecture),
        )
        for one in front.points
    ]
    lines.sort(key=lambda line: line.is_on_front)
    seen = {kind for line in lines for kind in line.kinds}
    known = [NOTHING, *MECHANISMS]
    options = [kind for kind in known if kind in seen] + sorted(seen.difference(known))
    return Choices(tuple(options), tuple(lines), front.cost_name)
