"""Does a list of trainings on an executor, outside any study's total."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from studies import Epoch, Outcome

from .executors import Done, EpochDone, Event, Executor, Failed, Job, Lost

HEARTBEAT = 0.5  # seconds between looks at the clock and at Ctrl-C
MAX_ATTEMPTS = 3  # of a training whose worker dies

T = TypeVar("T")  # what a training is asked for by
MakeJob = Callable[[int, int, T], Job]  # of an id and an attempt
Hear = Callable[[T, EpochDone], None]


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """One training that ended: what came out and the time it took, or why nothing did.

    `curve` holds the epochs that its last attempt showed.
    """

    training: T
    outcome: Outcome | None
    seconds: float
    reason: str = ""
    curve: tuple[Epoch, ...] = ()


@dataclass(slots=True)
class _Running(Generic[T]):
    training: T
    attempt: int
    since: float
    curve: list[Epoch] = field(default_factory=list)


def trained(
    executor: Executor,
    wanted: Sequence[T],
    make_job: MakeJob[T],
    may_start: Callable[[T], bool],
    hear: Hear[T] = lambda _training, _event: None,
) -> Iterator[Ended[T]]:
    """Yield each training as it ends; `may_start` is asked right before, and no leaves it out.

    `hear` is told of every epoch. The training of a worker that died begins again, if it may.
    """
    waiting = deque((number, training, 1) for number, training in enumerate(wanted))
    running: dict[int, _Running[T]] = {}
    while waiting or running:
        while waiting and executor.capacity() > 0:
            number, training, attempt = waiting.popleft()
            if may_start(training):
                running[number] = _Running(training, attempt, time.monotonic())
                executor.submit(make_job(number, attempt, training))
        lost: list[tuple[int, T, int]] = []
        for one, event in _heard(executor, running):
            if isinstance(event, EpochDone):
                one.curve.append(event.epoch)
                hear(one.training, event)
            elif isinstance(event, Lost) and one.attempt < MAX_ATTEMPTS:
                del running[event.job]
                lost.append((event.job, one.training, one.attempt + 1))
            elif isinstance(event, Done | Failed | Lost):
                yield _ended(running.pop(event.job), event)
        waiting.extendleft(reversed(lost))  # before anything new, the first one first


def _heard(
    executor: Executor, running: dict[int, _Running[T]]
) -> Iterator[tuple[_Running[T], Event]]:
    """Yield what happened to what runs; events of an earlier attempt are dropped."""
    may_come = running or executor.capacity() == 0  # a lost worker's replacement, perhaps
    for event in executor.events(HEARTBEAT) if may_come else ():
        one = running.get(event.job)
        if one is not None and event.attempt == one.attempt:
            yield one, event


def _ended(one: _Running[T], event: Event) -> Ended[T]:
    seconds = time.monotonic() - one.since
    if isinstance(event, Done):
        return Ended(one.training, event.outcome, seconds, curve=tuple(one.curve))
    assert isinstance(event, Failed | Lost), "only these end a training"
    return Ended(one.training, None, seconds, event.reason)
