"""The worker of a cluster: a Ray actor that trains in one thread and hears stops in another."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import ray

from .jobs import Before, Done, Event, Job, Keep, Trainer
from .process import events_of, trainer_of

GROUPS = {"control": 1, "life": 1}  # threads beside the one that trains


@dataclass(frozen=True, slots=True)
class Message:
    """An event, and what the job should keep: each file's path for the driver, and its bytes."""

    event: Event
    files: tuple[tuple[Path, bytes], ...] = ()


class Worker:
    """Does one job after another; the trainer's data and compiled code stay between them."""

    def __init__(self, trainer: str) -> None:
        self._name = trainer
        self._train: Trainer | None = None
        self._told_to_stop = (0, 0)  # job and attempt
        self._idle_since = time.perf_counter()

    def is_ready(self) -> bool:
        """Answer, once there is a process that can."""
        return True

    @ray.method(concurrency_group="life")
    def live(self) -> None:
        """Never return: its end is the worker's."""
        threading.Event().wait()

    @ray.method(concurrency_group="control")
    def stop(self, job: int, attempt: int) -> None:
        """Have the job stop at its next step."""
        self._told_to_stop = (job, attempt)

    def train(self, job: Job) -> Iterator[Message]:
        """Yield every epoch and exactly one final event."""
        waiting = time.perf_counter() - self._idle_since
        train, preparing = self._trainer()
        with TemporaryDirectory(prefix="attention-search-") as folder:
            kept_here = None if job.keep is None else _moved(job.keep, Path(folder))
            for event in events_of(
                replace(job, keep=kept_here),
                train,
                lambda: self._told_to_stop == (job.id, job.attempt),
                Before(waiting, preparing),
            ):
                is_kept = job.keep is not None and isinstance(event, Done)
                yield Message(event, _files(job.keep, Path(folder)) if is_kept else ())
        self._idle_since = time.perf_counter()

    def _trainer(self) -> tuple[Trainer, float]:
        """Return the trainer and the seconds that its imports took.

        The first job imports it: what is missing here is then a job's reason.
        """
        began = time.perf_counter()
        if self._train is None:
            self._train = trainer_of(self._name)
        return self._train, time.perf_counter() - began


def _moved(keep: Keep, folder: Path) -> Keep:
    """Return the same wish, to be written on this node."""
    gates = None if keep.gates is None else folder / keep.gates.name
    return replace(keep, weights=folder / keep.weights.name, gates=gates)


def _files(keep: Keep | None, folder: Path) -> tuple[tuple[Path, bytes], ...]:
    """Return what was written on this node, under the driver's paths."""
    wanted = () if keep is None else (keep.weights, keep.gates)
    here = [(path, folder / path.name) for path in wanted if path is not None]
    return tuple((path, own.read_bytes()) for path, own in here if own.is_file())
