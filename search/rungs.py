"""Keep or stop a training that has reached a rung: a pure function of curves, costs, estimates.

A training is stopped where it will hardly pass the front at its own cost. A cheaper network is
measured against a lower level; none is kept for being cheap alone, since cost never changes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import hypot, isnan

from scipy.special import stdtr

from space import Cost
from studies import Epoch, Evaluation, Front
from studies.estimates.link import Curve, Link, Prediction, link, predicted

RUNGS = (1 / 9, 1 / 3)  # of the epochs
MIN_EPOCHS = 6  # of a study with rungs
MIN_PROBABILITY = 0.05  # of passing the front, to go on


@dataclass(frozen=True, slots=True)
class Level:
    """What the front reaches at no more than a cost."""

    accuracy: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How likely a training is to pass the front, seen from a rung."""

    rung: int
    probability: float
    prediction: Prediction
    level: Level

    @property
    def stops(self) -> bool:
        """Say whether to end the training here."""
        return self.probability < MIN_PROBABILITY

    @property
    def reason(self) -> str:
        """Return it in words."""
        percent = 100 * self.probability
        chance = f"a {percent:.1f} %" if percent >= 0.1 else "less than 0.1 %"
        expected, level = self.prediction, self.level
        return (
            f"after epoch {self.rung}: {100 * expected.accuracy:.2f} ± {100 * expected.sd:.2f} % "
            f"expected, {chance} chance to pass the front's {100 * level.accuracy:.2f} %"
        )


def rungs(num_epochs: int) -> tuple[int, ...]:
    """Return the epochs after which a training may be stopped; none in a short study."""
    if num_epochs < MIN_EPOCHS:
        return ()
    return tuple(sorted({max(1, round(share * num_epochs)) for share in RUNGS}))


def may_stop(row: Evaluation, baselines: Collection[str]) -> bool:
    """Say whether the training is one of the sampler's own; `baselines` are digests.

    Never a replicate, an audit, a reference or the plain network: the noise, the link and every
    comparison rest on those.
    """
    own = row.purpose == "trial" and not row.architecture.is_plain
    return own and row.digest not in baselines


def level_at(front: Front, cost: Cost) -> Level | None:
    """Return the highest estimate at no more than this cost; None while its error is unknown."""
    name = front.cost_name
    within = [row.estimate for row in front.rows if row.cost[name] <= cost[name]]
    best = max(within, key=lambda one: one.accuracy, default=None)
    if best is None or isnan(best.standard_error):
        return None
    return Level(best.accuracy, best.standard_error)


def judged(found: Link, epochs: Sequence[Epoch], level: Level) -> Verdict:
    """Return how likely a training is to end above the level, where both are uncertain."""
    expected = predicted(found, epochs)
    gap = expected.accuracy - level.accuracy
    error = hypot(expected.sd, level.standard_error)
    freedom = expected.degrees_of_freedom
    probability = float(stdtr(freedom, gap / error)) if error else float(gap > 0)
    return Verdict(found.rung, probability, expected, level)


def should_stop(
    finished: Sequence[Curve], epochs: Sequence[Epoch], level: Level | None
) -> Verdict | None:
    """Judge a training after its last epoch, a rung; None where nothing can be said of it yet."""
    if level is None:
        return None
    found = link(finished, len(epochs))
    return None if found is None else judged(found, epochs, level)
