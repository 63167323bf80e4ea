"""What a study is taken to know when it proposes, running trainings included."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from numpy.random import Generator

from space import Architecture, cost_axis, digest, plain
from studies import Evaluation, Front, completed, front_of
from studies.estimates.encoding import Encoded, encoded
from studies.estimates.posterior import Posterior
from studies.hypervolume import Place, staircase

from .winsorized import Forecasts, accuracies_of, winsorized

NUM_BEST = 8
NUM_POINTS = 60  # of the posterior's grid that candidates are judged by
MAX_NETWORKS = 150  # that a proposal learns from: with more, an ask would take over 0.3 s


@dataclass(frozen=True, slots=True)
class Belief:
    """What a study is taken to know, running trainings included."""

    front: Front
    posterior: Posterior | None  # coarse enough to be asked about a thousand networks
    running: Encoded  # networks that are trained right now
    steps: tuple[Place, ...]  # of the front: place on the cost axis, gain over plain
    best: tuple[Architecture, ...]  # the ones of the highest gains for their cost


def believed(
    evaluations: Sequence[Evaluation],
    backbone: str,
    cost_name: str,
    rng: Generator,
    forecasts: Forecasts | None = None,
) -> Belief:
    """Return the posterior, and the front with each running training at its predicted value."""
    known, raised = winsorized(capped(evaluations, rng), forecasts, digest(plain(backbone)))
    front = front_of(known, backbone, cost_name, raised)
    seen = set(front.posterior.keys) if front.posterior else set()
    new = {one.digest: one for one in known if _is_running(one) and one.digest not in seen}
    running = encoded([one.architecture for one in new.values()])
    if front.posterior is None:
        return Belief(front, None, running, (), ())
    posterior = front.posterior.thinned(NUM_POINTS)
    gains = dict(zip(front.posterior.keys, front.posterior.observed().gain, strict=True))
    if new:
        gains |= dict(zip(new, posterior.of(running, list(new)).gain, strict=True))
    networks = {one.digest: one for one in known}
    base = front.plain_cost[cost_name]
    places = {key: cost_axis(networks[key].cost[cost_name], base) for key in gains}
    steps = staircase((places[key], float(gain)) for key, gain in gains.items())
    best = sorted(gains, key=lambda key: _below(steps, places[key], float(gains[key])))[:NUM_BEST]
    chosen = tuple(networks[key].architecture for key in best)
    return Belief(front, posterior, running, tuple(steps), chosen)


def _is_running(one: Evaluation) -> bool:
    return one.state in ("proposed", "running") and one.trial is not None


def _below(steps: Sequence[Place], place: float, gain: float) -> float:
    """Return how far a network lies below the front at its cost."""
    return max(level for start, level in steps if start <= place) - gain


def capped(evaluations: Sequence[Evaluation], rng: Generator) -> list[Evaluation]:
    """Return the evaluations of at most so many networks.

    Running ones, those that no cheaper one beat by its raw mean, and replicated ones stay; of the
    rest any.
    """
    counted = [one for one in evaluations if one.state not in ("failed", "refused")]
    runs = Counter(one.digest for one in counted if one.purpose != "reference")
    if len(runs) <= MAX_NETWORKS:
        return list(evaluations)
    needed = {one.digest for one in counted if _is_running(one)} | _raw_front(evaluations)
    order = sorted(
        rng.permutation(list(runs)), key=lambda key: (key not in needed, -min(runs[key], 2))
    )
    kept = {str(key) for key in order[:MAX_NETWORKS]}
    return [one for one in evaluations if one.digest in kept]


def _raw_front(evaluations: Sequence[Evaluation]) -> set[str]:
    """Return the digests that no cheaper network beats, by raw means, against either cost."""
    done = completed(evaluations)
    means = {key: fmean(runs) for key, runs in accuracies_of(done).items()}
    prices = {one.digest: one.cost for one in done}
    found = set()
    for name in ("macs", "params"):
        best = 0.0
        for key in sorted(means, key=lambda key: (prices[key][name], -means[key])):
            if means[key] > best:
                found.add(key)
                best = means[key]
    return found
