"""Trains what a pilot planned, as long as there is time."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from studies import Outcome

from ..executors import Done, Event, Executor, Failed, Job, Lost
from .plan import Training

HEARTBEAT = 0.5  # seconds between looks at the clock and at Ctrl-C
MAX_ATTEMPTS = 3  # of a training whose worker dies

Start = Callable[[Training], bool]
MakeJob = Callable[[int, int, Training], Job]  # of an id and an attempt


@dataclass(frozen=True, slots=True)
class Ended:
    """One training that ended: what came out and the time it took, or why nothing did."""

    training: Training
    outcome: Outcome | None
    seconds: float
    reason: str = ""


@dataclass(slots=True)
class _Running:
    training: Training
    attempt: int
    since: float


def trained(
    executor: Executor, wanted: Sequence[Training], make_job: MakeJob, may_start: Start
) -> Iterator[Ended]:
    """Yield each training as it ends; `may_start` is asked right before, and no leaves it out.

    The training of a worker that died begins again.
    """
    waiting = deque(enumerate(wanted))
    running: dict[int, _Running] = {}
    while waiting or running:
        while waiting and executor.capacity() > 0:
            number, training = waiting.popleft()
            if may_start(training):
                running[number] = _Running(training, 1, time.monotonic())
                executor.submit(make_job(number, 1, training))
        for event in executor.events(HEARTBEAT) if running else ():
            one = running.get(event.job)
            if one is None or event.attempt != one.attempt:
                continue
            if isinstance(event, Lost) and one.attempt < MAX_ATTEMPTS:
                one.attempt += 1
                executor.submit(make_job(event.job, one.attempt, one.training))
            elif isinstance(event, Done | Failed | Lost):
                yield _ended(running.pop(event.job), event)


def _ended(one: _Running, event: Event) -> Ended:
    seconds = time.monotonic() - one.since
    if isinstance(event, Done):
        return Ended(one.training, event.outcome, seconds)
    assert isinstance(event, Failed | Lost), "only these end a training"
    return Ended(one.training, None, seconds, event.reason)
