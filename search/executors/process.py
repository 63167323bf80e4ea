"""The worker process: takes jobs from its pipe, sends what happens, dies with its driver."""

import importlib
import signal
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection

from studies import Epoch, Outcome

from .jobs import (
    Before,
    Done,
    EpochDone,
    Event,
    Failed,
    Job,
    JobFailedError,
    JobStoppedError,
    Probed,
    ProbeDone,
    Result,
    ShouldStop,
    Stopped,
    Trainer,
)
from .leaving import leave, leave_when_told

STOP = "stop"


def serve(connection: Connection, trainer: str) -> None:
    """Do jobs until the driver closes the pipe; `trainer` is `package.module:function`."""
    entered = time.perf_counter()
    for one in (signal.SIGINT, signal.SIGHUP):  # Ctrl-C and a closed terminal are the driver's
        signal.signal(one, signal.SIG_IGN)
    leave_when_told()
    train = trainer_of(trainer)
    idle_since = time.perf_counter()
    preparing = idle_since - entered
    while True:
        try:
            message = connection.recv()
            if isinstance(message, Job):
                before = Before(time.perf_counter() - idle_since, preparing)
                idle_since, preparing = _do(message, train, connection, before), 0.0
        except (EOFError, OSError):  # the pipe's: the driver is gone
            leave()


def trainer_of(name: str) -> Trainer:
    """Return the function that `package.module:function` names; what it imports takes seconds."""
    module, _, function = name.partition(":")
    found: Trainer = getattr(importlib.import_module(module), function)
    return found


def _do(job: Job, train: Trainer, connection: Connection, before: Before) -> float:
    """Train, send every epoch, and end with exactly one final event.

    Returns when that was handed over: from then on the worker waits, since the driver may answer.
    """
    sent = 0.0
    for event in events_of(job, train, lambda: _told_to_stop(connection, job), before):
        sent = time.perf_counter()
        try:
            connection.send(event)
        except OSError:  # the driver is gone
            raise
        except Exception as error:  # whatever pickling raises
            connection.send(_crashed(job, error))
            break
    return sent


def events_of(
    job: Job, train: Trainer, should_stop: ShouldStop, before: Before
) -> Iterator[Event]:
    """Train, and yield every epoch and exactly one final event."""
    try:
        is_over = False
        for result in train(job, should_stop):
            event = _event(job, result, before)
            is_over = not isinstance(event, EpochDone)
            yield event
        if not is_over:
            yield Failed(job.id, job.attempt, "the trainer ended without an outcome")
    except JobStoppedError:
        yield Stopped(job.id, job.attempt)
    except JobFailedError as error:
        spent = error.out_of_memory  # what it has taken would be missing to the next job
        yield Failed(job.id, job.attempt, error.reason, spent, error.out_of_memory)
    except Exception as error:
        yield _crashed(job, error)


def _crashed(job: Job, error: Exception) -> Failed:
    """Return that a bug in one network is its reason: it must not end the study.

    What it left behind (a broken CUDA context, say) must not fail the next job: the worker is
    spent.
    """
    where = traceback.extract_tb(error.__traceback__)[-1]
    reason = f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
    return Failed(job.id, job.attempt, reason, worker_is_spent=True)


def _event(job: Job, result: Result, before: Before) -> Event:
    if isinstance(result, Epoch):
        return EpochDone(job.id, job.attempt, result)
    if isinstance(result, Probed):
        return ProbeDone(job.id, job.attempt, result)
    if not isinstance(result, Outcome):
        raise TypeError(f"a trainer must yield epochs and an outcome, got {type(result).__name__}")
    return Done(job.id, job.attempt, result, before)


def _told_to_stop(connection: Connection, job: Job) -> bool:
    """Say whether a stop for this job waits in the pipe; stops for earlier jobs are dropped."""
    told = False
    while connection.poll():
        told = connection.recv() == (STOP, job.id) or told
    return told
