"""What a pilot trains: as many lengths and numbers of images as its time holds."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from space import Refusal

from ..config import NUM_TRAIN, NUM_VALIDATION, Protocol
from ..forecast import FORWARD_SHARE
from ..options import in_words

EPOCHS = (4, 8, 16, 32)
SHARES = (1 / 9, 2 / 9, 4 / 9, 1.0)  # of the training images: 5,000 to 45,000 of CIFAR-10
SEEDS, MORE_SEEDS = 2, 3  # trainings of each network; the third where time is left
WANTED, LEAST = 3, 2  # protocols to compare
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
    """Return protocols from short to long; images and epochs double in turn.

    Where the work is the same, fewer images for more epochs come first.
    """
    numbers = [int(share * NUM_TRAIN[base.dataset]) // 10 * 10 for share in SHARES]
    steps = range(len(EPOCHS))
    pairs = sorted((i + j, i, j) for i in steps for j in steps if abs(i - j) <= 1)
    return tuple(
        base.model_copy(update={"train_images": numbers[i], "epochs": EPOCHS[j]})
        for _, i, j in pairs
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

    Raises:
        Refusal: not even the two shortest protocols fit; names the budget that they need.
    """
    protocols, seconds = ladder(base), MARGIN * (budget - pace.seconds)
    chosen = _chosen(protocols, pace, seconds)
    if not chosen:
        least = makespan(_trainings(protocols[:LEAST], pace, range(SEEDS)), pace.num_workers)
        words = in_words(ceil(least / MARGIN + pace.seconds))
        raise Refusal(
            f"--budget must be at least {words} for {len(pace.images_per_second)} networks, "
            f"{SEEDS} seeds and {LEAST} protocols on this machine, got {in_words(budget)}; "
            "give it that, or a smaller --backbone"
        )
    plan = _trainings(chosen, pace, range(SEEDS))
    for protocol in chosen:
        longer = plan + _trainings((protocol,), pace, range(SEEDS, MORE_SEEDS))
        if makespan(longer, pace.num_workers) > seconds:
            break
        plan = longer
    return plan


def makespan(trainings: Sequence[Training], num_workers: int) -> float:
    """Return when the last one ends if each goes, in order, to the first idle worker."""
    free = [0.0] * num_workers
    for one in trainings:
        heapq.heappush(free, heapq.heappop(free) + one.seconds)
    return max(free)


def _chosen(protocols: Sequence[Protocol], pace: Pace, seconds: float) -> Sequence[Protocol]:
    """Return the neighbours on the ladder that fit and reach highest; three if possible."""
    for wanted in (WANTED, LEAST):
        for top in range(len(protocols), wanted - 1, -1):
            fitting = [
                protocols[first:top]
                for first in range(top - wanted + 1)
                if _fits(protocols[first:top], pace, seconds)
            ]
            if fitting:
                return fitting[0]  # the most protocols
    return ()


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
