"""How long a study will take, from the speed of the plain network and exact costs."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import mean

from space import Cost, SearchSpace, cost, plain, random_architecture, references
from studies import Evaluation

from .budgets import reason_over
from .config import NUM_VALIDATION, StudyConfig

DRAWS = 200
FORWARD_SHARE = 1 / 3  # of the work of a training step, which validation needs too


@dataclass(frozen=True, slots=True)
class Speed:
    """Training images per second of one worker, with the plain network."""

    images_per_second: float
    num_workers: int


def remembered_speed(
    config: StudyConfig, known: Sequence[Evaluation], num_workers: int
) -> Speed | None:
    """Return the speed at which this study trained the plain network, validation taken out."""
    speeds = [
        one.images_per_second
        for one in known
        if one.images_per_second and one.architecture.is_plain and one.purpose != "reference"
    ]
    if not speeds:
        return None
    share = images_of_epoch(config) / config.protocol.train_images
    return Speed(share * sum(speeds) / len(speeds), num_workers)


def images_of_epoch(config: StudyConfig) -> float:
    """Return the work of an epoch in training images: a validation image needs a forward pass.

    It is the mean over the epochs, of which the last validates with all images.
    """
    protocol = config.protocol
    last = NUM_VALIDATION[protocol.dataset]
    before = protocol.curve_images or last
    validated = before + (last - before) / protocol.epochs
    return protocol.train_images + FORWARD_SHARE * validated


def forecast_seconds(
    config: StudyConfig, speed: Speed, num_trials: int, known: Sequence[Evaluation]
) -> float:
    """Return the seconds for what is missing to the total, taking time as proportional to MACs."""
    done = sum(one.counts for one in known)
    work = max(0, num_trials - done) * mean_cost_ratio(config.search_space, config.limits)
    if config.references and not any(one.purpose == "reference" for one in known):
        work += sum(_ratio(one.name, config.backbone) for one in references(config.backbone))
    return (
        work
        * config.protocol.epochs
        * images_of_epoch(config)
        / speed.images_per_second
        / speed.num_workers
    )


def scaled(speed: Speed, measured: str, wanted: str) -> Speed:
    """Return the speed that another plain network would show."""
    return Speed(speed.images_per_second / _ratio(wanted, measured), speed.num_workers)


def mean_cost_ratio(search_space: SearchSpace, limits: Mapping[str, int] | None = None) -> float:
    """Return the MACs of a random architecture over the plain network's, in the mean.

    Only draws within the limits count; where none is, a study trains hardly more than plain.
    """
    allowed = limits or {}
    within = [one.macs for one in _drawn_costs(search_space) if reason_over(one, allowed) is None]
    least = cost(plain(search_space.backbone)).macs
    return mean(within) / least if within else 1.0


@cache
def _drawn_costs(search_space: SearchSpace) -> tuple[Cost, ...]:
    generator = random.Random(0)
    return tuple(cost(random_architecture(generator, search_space)) for _ in range(DRAWS))


def _ratio(name: str, other: str) -> float:
    return cost(plain(name)).macs / cost(plain(other)).macs
