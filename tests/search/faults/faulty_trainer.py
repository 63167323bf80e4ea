"""The fake trainer, but for one training whose attempts go wrong as FAULT says.

FAULT_ATTEMPTS says how many of them; the training is the first with attention.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf, nan
from typing import Any

from search.executors.jobs import Job, JobFailedError, Result, ShouldStop
from studies import Epoch, Outcome
from tests.search import fake_trainer

FAULTY = 4  # its id: behind three plain trainings


class Unreadable:
    """Can be sent, and raises where it is received."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return _raise_in_the_driver, ("no such class",)


def _raise_in_the_driver(message: str) -> None:
    if "FAULT" not in os.environ:
        raise AttributeError(message)


def train(job: Job, should_stop: ShouldStop) -> Iterator[Result]:
    """Yield what a sound training would, or what the fault makes of it."""
    is_faulty = job.id == FAULTY and job.attempt <= int(os.environ.get("FAULT_ATTEMPTS", "1"))
    sound = fake_trainer.train(job, should_stop)
    yield from FAULTS[os.environ["FAULT"]](sound) if is_faulty else sound


def _outcome_with(**changed: object) -> Callable[[Iterator[Result]], Iterator[Result]]:
    def fault(sound: Iterator[Result]) -> Iterator[Result]:
        for one in sound:
            yield replace(one, **changed) if isinstance(one, Outcome) else one  # type: ignore[arg-type]

    return fault


def _epoch_with(**changed: object) -> Callable[[Iterator[Result]], Iterator[Result]]:
    def fault(sound: Iterator[Result]) -> Iterator[Result]:
        for one in sound:
            yield replace(one, **changed) if isinstance(one, Epoch) else one  # type: ignore[arg-type]

    return fault


def _after_one_epoch(act: Callable[[], object]) -> Callable[[Iterator[Result]], Iterator[Result]]:
    def fault(sound: Iterator[Result]) -> Iterator[Result]:
        yield next(sound)
        act()

    return fault


def _hang() -> None:
    while True:
        time.sleep(1)  # and hears nothing


def _fail(reason: str, *, out_of_memory: bool = False) -> None:
    raise JobFailedError(reason, out_of_memory=out_of_memory)


def _outcome_alone(sound: Iterator[Result]) -> Iterator[Result]:
    yield from (one for one in sound if isinstance(one, Outcome))


def _words(sound: Iterator[Result]) -> Iterator[Any]:
    yield next(sound)
    yield {"accuracy": 0.9}


FAULTS: dict[str, Callable[[Iterator[Result]], Iterator[Result]]] = {
    "exits silently": _after_one_epoch(lambda: os._exit(0)),
    "is killed": _after_one_epoch(lambda: os.kill(os.getpid(), signal.SIGKILL)),
    "hangs": _after_one_epoch(_hang),
    "cannot be read": _outcome_with(gates={"stage1": Unreadable()}),
    "ends without an outcome": _after_one_epoch(lambda: None),
    "raises": _after_one_epoch(lambda: 1 / 0),
    "yields words": _words,
    "cannot be sent": _outcome_with(gates={"stage1": lambda: None}),
    "five megabytes of reason": _after_one_epoch(lambda: _fail("x" * 5_000_000)),
    "five megabytes of gates": _outcome_with(gates={"stage1": {"text": "x" * 5_000_000}}),
    "gates of nan": _outcome_with(gates={"stage1": {"gain": nan}}),
    "gates with other keys": _outcome_with(gates={"stage1": {1: {2, 3}}}),
    "gates of no module": _outcome_with(gates=[1.0, 2.0]),
    "accuracy of nan": _outcome_with(accuracy=nan),
    "accuracy of inf": _outcome_with(accuracy=inf),
    "accuracy of words": _outcome_with(accuracy="0.9"),
    "no accuracy": _outcome_with(accuracy=None),
    "seconds of inf": _outcome_with(seconds=inf),
    "few bits": _outcome_with(correct=b"\xff"),
    "another cost": _outcome_with(macs=1),
    "epoch of nan": _epoch_with(train_loss=nan),
    "an epoch too many": _epoch_with(epoch=4),
    "an epoch twice": _epoch_with(epoch=1),
    "an outcome without epochs": _outcome_alone,
    "times of another kind": _outcome_with(times={"start": 1}),
    "out of memory": _after_one_epoch(lambda: _fail("out of memory", out_of_memory=True)),
}
