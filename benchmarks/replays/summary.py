"""What many replays say together: mean scores, and how much sooner one method gets somewhere.

Every interval is a 95 % percentile bootstrap over the replays, whose numbers pair the methods:
replay 7 of each starts with the same trainings and meets the same luck.

Shapes: R replays, T points of a curve (trials, or times), B bootstrap draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .play import Played

Array = NDArray[np.float64]
NUM_DRAWS = 2_000
ENDS = (0.025, 0.975)
NUM_TIMES = 200
ROUNDING = 1e-9  # of a sum of scores


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def in_words(self, digits: int) -> str:
        """Return `1.23 (1.10–1.31)`."""
        shown = (f"{one:.{digits}f}" for one in (self.value, self.low, self.high))
        return "{} ({}–{})".format(*shown).replace("-", "−")


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Scores of one method and report: a row for each replay, against trials or seconds."""

    places_T: Array
    scores_RT: Array


def trial_curves(played: Sequence[Played], report: str, horizon: int) -> Curves:
    """Return the scores after 1, 2, ... trials, in the order of the replays."""
    rows = [one.scores[report][:horizon] for one in _ordered(played)]
    return Curves(np.arange(1.0, horizon + 1), np.array(rows))


def time_curves(played: Sequence[Played], report: str, most: float) -> Curves:
    """Return the scores against the seconds that trainings took; 0 before the first has ended."""
    times_T = np.linspace(0.0, most, NUM_TIMES + 1)[1:]
    rows = []
    for one in _ordered(played):
        ends = np.cumsum([trial.seconds for trial in one.trials])
        reached = np.searchsorted(ends, times_T, side="right")
        rows.append(np.array([0.0, *one.scores[report]])[reached])
    return Curves(times_T, np.array(rows))


def shortest_seconds(played: Sequence[Played]) -> float:
    """Return the time that every replay has lasted."""
    return min(sum(trial.seconds for trial in one.trials) for one in played)


def mean_scores(curves: Curves) -> list[Interval]:
    """Return the mean of the replays at each point."""
    means_BT = _draws(len(curves.scores_RT)) @ curves.scores_RT
    low, high = np.quantile(means_BT, ENDS, axis=0)
    pairs = zip(curves.scores_RT.mean(axis=0), low, high, strict=True)
    return [Interval(*map(float, one)) for one in pairs]


def times_sooner(ours: Curves, peer: Curves) -> Interval:
    """Return how many times sooner our mean reaches the score that the peer's mean ends with.

    It is from where on the peer's mean stays there, over from where on ours does; 0 where ours
    ends below it.
    """
    drawn_BR = _draws(len(ours.scores_RT))
    drawn = [_sooner(ours, peer, weights_R) for weights_R in drawn_BR]
    low, high = np.quantile(drawn, ENDS)
    return Interval(_sooner(ours, peer, _equal(ours)), float(low), float(high))


def final_difference(ours: Curves, peer: Curves) -> Interval:
    """Return our mean score less the peer's at the end."""
    apart_R = ours.scores_RT[:, -1] - peer.scores_RT[:, -1]
    low, high = np.quantile(_draws(len(apart_R)) @ apart_R, ENDS)
    return Interval(float(apart_R.mean()), float(low), float(high))


def least_difference(ours: Curves, peer: Curves, start: int) -> Interval:
    """Return our mean score less the peer's at the point behind the start where that is least."""
    apart_RT = (ours.scores_RT - peer.scores_RT)[:, start:]
    worst = int(np.argmin(apart_RT.mean(axis=0)))
    return mean_scores(Curves(ours.places_T[start:], apart_RT))[worst]


def mean_of(values: Sequence[float]) -> Interval:
    """Return the mean of one value for each replay."""
    return mean_scores(Curves(np.zeros(1), np.array(values, dtype=float)[:, None]))[0]


def _sooner(ours: Curves, peer: Curves, weights_R: Array) -> float:
    our_T, peer_T = weights_R @ ours.scores_RT, weights_R @ peer.scores_RT
    level = peer_T[-1] - ROUNDING
    if our_T[-1] < level:
        return 0.0
    return float(peer.places_T[_settled(peer_T, level)] / ours.places_T[_settled(our_T, level)])


def _settled(scores_T: Array, level: float) -> int:
    """Return from where on the scores stay at the level: a lucky front may fall from it again."""
    below = np.flatnonzero(scores_T < level)
    return int(below[-1]) + 1 if len(below) else 0


def _equal(curves: Curves) -> Array:
    return np.full(len(curves.scores_RT), 1 / len(curves.scores_RT))


def _draws(num_replays: int) -> Array:
    """Return B x R shares of the replays drawn with replacement: the same for all curves."""
    equal = np.full(num_replays, 1 / num_replays)
    drawn = np.random.default_rng(0).multinomial(num_replays, equal, NUM_DRAWS)
    shares: Array = drawn / num_replays
    return shares


def _ordered(played: Sequence[Played]) -> list[Played]:
    return sorted(played, key=lambda one: one.replay)
