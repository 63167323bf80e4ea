"""How fast the workers are, and how many of them one GPU feeds."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from .executors import Executor, Failed, Job, Lost, Probed, ProbeDone

PROBE = -1  # the id of the first job that measures the speed; the next ones count down
PATIENCE = 120.0  # seconds until a probe is given up
MIN_GAIN = 1.1  # twice the workers must be faster by this factor to be kept
# The plain network is probed, and attention keeps more for the backward pass: 1.0 to 2.3 times as
# much in its usual places in ResNet-20, and up to 6.0 times in 25 random architectures, of which
# 24 keep below 4 times. A training that finds less memory than it needs halves its batch.
MEMORY_FACTOR = 4
CONTEXT_BYTES = 700 * 2**20  # of a process on a GPU, whatever it computes


@dataclass(frozen=True, slots=True)
class Load:
    """What several workers of one device do together."""

    images_per_second: float
    worker_bytes: int  # that one of them holds
    free_bytes: int  # that are left on the device


def probed(
    executor: Executor, probe: Job, count: int, interrupted: Callable[[], bool]
) -> tuple[Probed, ...]:
    """Return what so many workers find at the same time; nothing if one cannot say in time."""
    ids = range(probe.id, probe.id - count, -1)
    for number in ids:
        executor.submit(replace(probe, id=number))
    found: list[Probed] = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and not interrupted():
        for event in executor.events(0.5):
            if isinstance(event, ProbeDone) and event.job in ids:
                found.append(event.probed)
            elif isinstance(event, Failed | Lost):
                return ()
        if len(found) == count:
            return tuple(found)
    for number in ids:
        executor.stop(number)
    return ()


def load_of(found: tuple[Probed, ...]) -> Load | None:
    """Return the load of workers that were probed together; None if it is not known."""
    if not found or any(one.own_bytes is None for one in found):
        return None
    return Load(
        sum(one.images_per_second for one in found),
        max(one.own_bytes or 0 for one in found) + CONTEXT_BYTES,
        min(one.free_bytes or 0 for one in found),
    )


def num_workers(load: Callable[[int], Load | None], most: int) -> int:
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
    """Say whether as many workers again would fit beside these, whatever they train."""
    return load.free_bytes >= count * MEMORY_FACTOR * load.worker_bytes
