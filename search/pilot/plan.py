"""What a pilot trains: as many lengths and numbers of images as its time holds."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from space import Refusal

from ..config import NUM_TRAIN, NUM_VALIDATION, Protocol
from ..forecast import FORWARD_SHARE
from ..options import in_words

EPOCHS = (2, 4, 8, 16, 32)
# Of the training images: 1,000 to 45,000 of CIFAR-10.
SHARES = (1 / 45, 1 / 18, 1 / 9, 2 / 9, 4 / 9, 1.0)
LEAST_IMAGES = 1_000
SEEDS, MORE_SEEDS = 2, 3  # trainings of each network; the third where time is left
WANTED, LEAST = 3, 2  # protocols to compare
LEAST_NETWORKS = 4  # the slowest of more is left out where time is short
MARGIN = 0.85  # of the time is planned with: other work on the machine takes its share
JOB_SECONDS = 0.5  # of building, counting and recording, beside the training


@dataclass(frozen=True, slots=True)
class Pace:
    """Training images per second of one worker while all work, by network."""

    images_per_second: Mapping[str, float]
    num_workers: int
    seconds: float = 0.0  # it took to measure


@dataclass(frozen=True, slots=True)
class Training:
    """One training of a pilot, and how long it should take."""

    protocol: Protocol
    network: str
    index: int  # of its seed, from 0
    seconds: float


def ladder(base: Protocol) -> tuple[Protocol, ...]:
    """Return protocols from short to long; images and epochs about double in turn.

    Where the work is the same, fewer images for more epochs come first.
    """
    every = NUM_TRAIN[base.dataset]
    numbers = [max(LEAST_IMAGES, round(share * every / 10) * 10) for share in SHARES]
    steps = {
        (images, epochs)
        for i, images in enumerate(numbers)
        for j, epochs in enumerate(EPOCHS)
        if 0 <= i - j <= 2
    }
    return tuple(
        base.model_copy(update={"train_images": images, "epochs": epochs})
        for images, epochs in sorted(steps, key=lambda step: (step[0] * step[1], step[0]))
    )


def seconds_of(protocol: Protocol, images_per_second: float) -> float:
    """Return the time of one job; with averaging the last epoch is validated twice."""
    every = NUM_VALIDATION[protocol.dataset]
    early = (protocol.epochs - 1) * (protocol.curve_images or every)
    late = every * (2 if protocol.averaging else 1)
    work = protocol.epochs * protocol.train_images + FORWARD_SHARE * (early + late)
    return JOB_SECONDS + work / images_per_second


def planned(base: Protocol, pace: Pace, budget: float) -> tuple[Training, ...]:
    """Return the trainings that fit into a budget of seconds, in their order.

    The longest protocols that fit together with shorter ones to compare, each network twice;
    then shorter ones still, then third seeds. What comes last can be left out without harm.
    Where time is short, the slowest network is left out, then all protocols but one.

    Raises:
        Refusal: not even the shortest protocol fits; names the budget that it needs.
    """
    protocols, seconds, fewer = ladder(base), MARGIN * (budget - pace.seconds), _fewer(pace)
    for own, wanted in ((pace, WANTED), (pace, LEAST), (fewer, LEAST), (fewer, 1)):
        chosen = _chosen(protocols, own, seconds, wanted)
        if chosen:
            return _with_more_seeds(chosen, own, seconds)
    least = makespan(_trainings(protocols[:1], fewer, range(SEEDS)), pace.num_workers)
    words = _rounded_up(least / MARGIN + pace.seconds)
    raise Refusal(
        f"--budget must be at least {words} for {len(fewer.images_per_second)} networks and "
        f"{SEEDS} seeds of {protocols[0].epochs} epochs of {protocols[0].train_images} images on "
        f"this machine, got {in_words(budget)}; give it that, or a smaller --backbone"
    )


def makespan(trainings: Sequence[Training], num_workers: int) -> float:
    """Return when the last one ends if each goes, in order, to the first idle worker."""
    free = [0.0] * num_workers
    for one in trainings:
        heapq.heappush(free, heapq.heappop(free) + one.seconds)
    return max(free)


def _chosen(
    protocols: Sequence[Protocol], pace: Pace, seconds: float, wanted: int
) -> Sequence[Protocol]:
    """Return the neighbours on the ladder, so many or more, that fit and reach highest."""
    for top in range(len(protocols), wanted - 1, -1):
        for first in range(top - wanted + 1):
            if _fits(protocols[first:top], pace, seconds):
                return protocols[first:top]
    return ()


def _with_more_seeds(
    chosen: Sequence[Protocol], pace: Pace, seconds: float
) -> tuple[Training, ...]:
    """Return the trainings of the chosen protocols, with third seeds of those that fit."""
    plan = _trainings(chosen, pace, range(SEEDS))
    for protocol in chosen:
        longer = plan + _trainings((protocol,), pace, range(SEEDS, MORE_SEEDS))
        if makespan(longer, pace.num_workers) > seconds:
            break
        plan = longer
    return plan


def _fewer(pace: Pace) -> Pace:
    """Return the pace without the slowest network, unless that leaves too few."""
    speeds = pace.images_per_second
    if len(speeds) <= LEAST_NETWORKS:
        return pace
    slowest = min(speeds, key=lambda name: speeds[name])
    return replace(pace, images_per_second={k: v for k, v in speeds.items() if k != slowest})


def _rounded_up(seconds: float) -> str:
    """Return a time in words that is no shorter: whole minutes where words leave out seconds."""
    return in_words(ceil(seconds) if seconds < 89 else 60 * ceil(seconds / 60))


def _fits(protocols: Sequence[Protocol], pace: Pace, seconds: float) -> bool:
    return makespan(_trainings(protocols, pace, range(SEEDS)), pace.num_workers) <= seconds


def _trainings(
    protocols: Sequence[Protocol], pace: Pace, indices: Sequence[int]
) -> tuple[Training, ...]:
    """Return every network with every seed; a protocol that is cut short has all networks once."""
    return tuple(
        Training(protocol, name, index, seconds_of(protocol, speed))
        for protocol in protocols
        for index in indices
        for name, speed in pace.images_per_second.items()
    )
