"""Worker processes on this machine: one pipe each, waited on with the processes' sentinels."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from .jobs import EpochDone, Event, Failed, Job, Lost
from .process import STOP, serve

SPAWN = multiprocessing.get_context("spawn")  # a forked worker would inherit the driver's locks
Environment = Mapping[str, str]
MOMENT = 2.0  # seconds


@dataclass(slots=True)
class _Worker:
    """One process, its end of the pipe, and the job it has."""

    process: BaseProcess
    pipe: Connection
    environment: Environment
    job: Job | None = None


class LocalExecutor:
    """Runs each job in one of several worker processes, which stay warm between jobs.

    `environments` has one entry for each worker: the variables it starts with (its device and
    number of threads). `trainer` is `package.module:function`, imported in the workers only.
    """

    def __init__(self, trainer: str, environments: Sequence[Environment]) -> None:
        self._trainer = trainer
        self._workers = [self._start(one) for one in environments]
        self._unheard: list[Event] = []

    def capacity(self) -> int:
        """Return the number of idle workers."""
        return sum(worker.job is None for worker in self._workers)

    def size(self) -> int:
        """Return the number of workers, idle or not."""
        return len(self._workers)

    def add(self, environments: Sequence[Environment]) -> None:
        """Start more workers."""
        self._workers += [self._start(one) for one in environments]

    def drop(self, count: int) -> None:
        """End so many of the workers that came last; they are idle."""
        surplus = self._workers[len(self._workers) - count :]
        del self._workers[len(self._workers) - count :]
        _end(surplus)

    def replace_busy(self) -> None:
        """End the workers that have a job, unheard, and start others in their places."""
        for worker in self._workers[:]:
            if worker.job is not None:
                worker.job = None
                self._replace(worker)

    def submit(self, job: Job) -> None:
        """Send the job to an idle worker; if that just died, `events` will say so."""
        worker = next(one for one in self._workers if one.job is None)
        worker.job = job
        try:
            worker.pipe.send(job)
        except OSError:
            worker.process.join()

    def events(self, timeout: float) -> list[Event]:
        """Return what happened; a dead worker's job is lost and a new worker takes its place."""
        sources = [one.pipe for one in self._workers]
        ready = self._unheard
        wait([*sources, *(one.process.sentinel for one in self._workers)], 0 if ready else timeout)
        self._unheard = []
        return ready + [event for worker in list(self._workers) for event in self._heard(worker)]

    def stop(self, job: int) -> None:
        """Ask the job's worker to stop it; if that just died, `events` will say so."""
        for worker in self._workers:
            if worker.job is not None and worker.job.id == job:
                with suppress(OSError):
                    worker.pipe.send((STOP, job))

    def give_up(self, job: int, reason: str) -> None:
        """Kill the job's worker, unless it was done before; `events` will say that it is lost."""
        for worker in list(self._workers):
            if worker.job is not None and worker.job.id == job:
                self._unheard += self._heard(worker)
                if worker in self._workers and worker.job is not None:
                    self._unheard += self._replace(worker, reason)

    def close(self) -> None:
        """End all workers: what they were doing is resubmitted by the next run.

        Those that train have a moment to save what they have.
        """
        busy = [one.process for one in self._workers if one.job is not None]
        for process in busy:
            process.terminate()
        deadline = time.monotonic() + MOMENT
        for process in busy:
            process.join(max(0.0, deadline - time.monotonic()))
        _end(self._workers)

    def _heard(self, worker: _Worker) -> list[Event]:
        """Empty the worker's pipe, then see whether it still lives."""
        alive = worker.process.is_alive()  # asked first: what it sent before its end is all there
        found: list[Event] = []
        spent, why = False, None
        try:
            while worker.pipe.poll():
                message = worker.pipe.recv()
                if worker.job is not None:
                    found.append(message)
                    worker.job = worker.job if isinstance(message, EpochDone) else None
                spent = spent or (isinstance(message, Failed) and message.worker_is_spent)
        except (EOFError, OSError):
            alive = False
        except Exception as error:  # whatever unpickling raises: this worker is not understood
            alive, why = False, f"what the worker sent cannot be read: {error}"
        if spent or not alive:
            found += self._replace(worker, why)
        return found

    def _replace(self, worker: _Worker, why: str | None = None) -> list[Event]:
        _end([worker])
        self._workers[self._workers.index(worker)] = self._start(worker.environment)
        if worker.job is None:
            return []
        reason = why or f"the worker died with exit code {worker.process.exitcode}"
        return [Lost(worker.job.id, worker.job.attempt, reason)]

    def _start(self, environment: Environment) -> _Worker:
        ours, theirs = SPAWN.Pipe()
        process = SPAWN.Process(target=serve, args=(theirs, self._trainer), daemon=True)
        with _variables(environment), _interrupts_ignored():
            process.start()
        theirs.close()  # so that the worker's end closes with the worker
        return _Worker(process, ours, environment)


def _end(workers: Sequence[_Worker]) -> None:
    """Kill the processes at once and wait until they are gone."""
    for worker in workers:
        worker.process.kill()
    for worker in workers:
        worker.process.join()
        worker.pipe.close()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let a process start with Ctrl-C and hang-ups ignored: it must not end while it imports."""
    ignored = signal.SIGINT, signal.SIGHUP
    before = {one: signal.signal(one, signal.SIG_IGN) for one in ignored}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _variables(environment: Environment) -> Iterator[None]:
    """Set variables while a process starts, and put the old ones back."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
