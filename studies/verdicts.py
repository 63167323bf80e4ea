"""What a front shows, in one sentence."""

from itertools import pairwise
from math import inf

from space import placements_in_words, share_in_words

from .front import Front, Point, distinguishable

NAMES = {"macs": "MACs", "params": "params"}


def verdict(front: Front) -> str:
    """Return the sentence that ends every run and every table."""
    if front.plain is None:
        return "no verdict: the plain network has not finished a training yet"
    if front.noise is None:
        return "no verdict: the noise is not measured yet (no network was trained twice)"
    winner = distinguishable(front)
    if winner is None:
        return f"no placement is distinguishable from plain (n = {front.num_trainings})"
    gain, error = 100 * winner.estimate.gain, 100 * winner.estimate.gain_error
    share = _share(winner.cost[front.cost_name], front)
    what = placements_in_words(winner.architecture)
    number = winner.estimate.num_evaluations
    return (
        f"{what}: {gain:+.1f} ± {error:.1f} points for {share} (n = {number}); "
        f"{_deeper(front, winner)}"
    )


def deeper_cost(front: Front, gain: float) -> float | None:
    """Return the cost at which the line of plain networks reaches plain + gain; None if never.

    The line joins the references that are dearer than plain, in the logarithm of the cost.
    """
    assert front.plain is not None
    name = front.cost_name
    start = front.plain_cost[name]
    level = front.plain.estimate.accuracy
    target = level + gain
    line = [(float(start), level)]
    line += [(r.cost[name], r.accuracy) for r in front.references if r.cost[name] > start]
    for (left, low), (right, high) in pairwise(line):
        if high >= target > low:
            share = (target - low) / (high - low)
            return float(left * (right / left) ** share)
    return None


def _deeper(front: Front, winner: Point) -> str:
    dearest = max((r.cost[front.cost_name] for r in front.references), default=-inf)
    if dearest <= front.plain_cost[front.cost_name]:
        return "no deeper plain network was trained to compare with"
    needed = deeper_cost(front, winner.estimate.gain)
    if needed is None:
        return f"no deeper plain network up to {_share(dearest, front)} reached that"
    return f"a deeper plain network needs {_share(needed, front)} for that"


def _share(value: float, front: Front) -> str:
    name = front.cost_name
    return f"{share_in_words(value, front.plain_cost[name])} {NAMES[name]}"
