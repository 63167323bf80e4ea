"""How fast the workers are, and how many of them one GPU feeds."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from .executors import Executor, Failed, Job, Lost, Probed, ProbeDone

PROBE = -1  # the id of the first job that measures the speed; the next ones count down
PATIENCE = 120.0  # seconds until a probe is given up
MIN_GAIN = 1.1  # twice the workers must be faster by this factor to be kept
# The plain network is probed, and attention keeps more for the backward pass: 1.0 to 2.3 times as
# much in its usual places in ResNet-20, and up to 6.0 times in 25 random architectures, of which
# 24 keep below 4 times. A training that finds less memory than it needs halves its batch.
MEMORY_FACTOR = 4
CONTEXT_BYTES = 700 * 2**20  # of a process on a GPU, whatever it computes


class Crew(Executor, Protocol):
    """An executor whose workers can be probed together."""

    def size(self) -> int:
        """Return the number of workers, idle or not."""

    def replace_busy(self) -> None:
        """End the workers that have a job, unheard, and start others in their places."""


@dataclass(frozen=True, slots=True)
class Load:
    """What several workers of one device do together."""

    images_per_second: float
    worker_bytes: int  # that one of them holds
    free_bytes: int  # that are left on the device


def probed(
    executor: Crew, probe: Job, count: int, interrupted: Callable[[], bool]
) -> tuple[Probed, ...]:
    """Return what so many idle workers find at the same time; nothing if one cannot say in time.

    All workers are idle afterwards: those that are not done are replaced.
    """
    found: list[Probed] = []
    for number in range(count):
        executor.submit(replace(probe, id=probe.id - number))
    deadline = time.monotonic() + PATIENCE
    while len(found) < count:
        events = executor.events(0.5)
        found += [event.probed for event in events if isinstance(event, ProbeDone)]
        failed = any(isinstance(event, Failed | Lost) for event in events)
        if failed or interrupted() or time.monotonic() > deadline:
            executor.replace_busy()
            return ()
    return tuple(found)


def load_of(found: tuple[Probed, ...]) -> Load | None:
    """Return the load of workers that were probed together; None if it is not known."""
    if not found or any(one.own_bytes is None for one in found):
        return None
    return Load(
        sum(one.images_per_second for one in found),
        max(one.own_bytes or 0 for one in found) + CONTEXT_BYTES,
        min(one.free_bytes or 0 for one in found),
    )


def worthwhile(load: Callable[[int], Load | None], most: int) -> int:
    """Return how many workers to give a device: doubled while that fits and pays.

    `load(count)` measures so many workers together, or says None if they do not work.
    """
    best, count = load(1), 1
    while best is not None and 2 * count <= most and _has_room(best, count):
        tried = load(2 * count)
        if tried is None or tried.images_per_second < MIN_GAIN * best.images_per_second:
            return count
        best, count = tried, 2 * count
    return count


def _has_room(load: Load, count: int) -> bool:
    """Say whether as many workers again would fit, with what all of them may come to need."""
    most = MEMORY_FACTOR * load.worker_bytes
    return load.free_bytes >= 2 * count * most - count * load.worker_bytes
