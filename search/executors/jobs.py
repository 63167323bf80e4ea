"""What travels between the driver and a worker: plain data, nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from search.config import Protocol as TrainingProtocol
from studies import Epoch, Outcome


@dataclass(frozen=True, slots=True)
class Keep:
    """The files of a trained network that a worker writes if its accuracy reaches a level.

    `weights` is a .safetensors file, `gates` a picture of what attention does, if it is wanted.
    Where they are required, a disk that refuses them fails the training.
    """

    weights: Path
    gates: Path | None = None
    above: float = 0.0  # accuracy from 0 to 1
    required: bool = True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The file from which a later attempt at a training goes on, written at most so often."""

    path: Path
    every_seconds: float


@dataclass(frozen=True, slots=True)
class Job:
    """One training to do; `id` and `attempt` tell its events from stale ones.

    With `probe_seconds` it is a probe: it trains for so long and reports its speed. With
    `compare_averaging` the outcome says what the weights are worth before averaging, too. With
    `with_validation` it trains on the validation images as well, and what it gets right of them
    says nothing.
    """

    id: int
    attempt: int
    architecture: str  # canonical JSON
    seed: int
    protocol: TrainingProtocol
    device: str
    data_dir: Path | None = None
    probe_seconds: float = 0.0
    compare_averaging: bool = False
    with_validation: bool = False
    keep: Keep | None = None
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class EpochDone:
    """A worker finished an epoch."""

    job: int
    attempt: int
    epoch: Epoch


@dataclass(frozen=True, slots=True)
class Before:
    """The seconds of a worker before a job: idle, and before its first job its imports."""

    waiting: float = 0.0
    preparing: float = 0.0


@dataclass(frozen=True, slots=True)
class Done:
    """A worker finished a job."""

    job: int
    attempt: int
    outcome: Outcome
    before: Before = Before()


@dataclass(frozen=True, slots=True)
class Probed:
    """How fast a worker trains, and what memory its device has; None on a CPU."""

    images_per_second: float
    own_bytes: int | None = None  # that the worker holds
    free_bytes: int | None = None  # that no process holds


@dataclass(frozen=True, slots=True)
class ProbeDone:
    """A worker finished a probe."""

    job: int
    attempt: int
    probed: Probed


@dataclass(frozen=True, slots=True)
class Failed:
    """A job cannot be done as it is: trying again would fail again.

    A spent worker is replaced before it gets another job. Out of memory, less may still do.
    """

    job: int
    attempt: int
    reason: str
    worker_is_spent: bool = False
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """A job ended because it was told to."""

    job: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker of a job died."""

    job: int
    attempt: int
    reason: str


Event = EpochDone | Done | ProbeDone | Failed | Stopped | Lost
ShouldStop = Callable[[], bool]
Result = Epoch | Outcome | Probed
Trainer = Callable[[Job, ShouldStop], Iterator[Result]]


class JobFailedError(Exception):
    """A trainer's word that this job cannot be done, and why, in one line."""

    def __init__(self, reason: str, *, out_of_memory: bool = False) -> None:
        super().__init__(reason, out_of_memory)
        self.reason = reason
        self.out_of_memory = out_of_memory


class JobStoppedError(Exception):
    """A trainer's word that it stopped because `should_stop` said so."""


class Executor(Protocol):
    """Where jobs are done."""

    def capacity(self) -> int:
        """Return how many more jobs could start now."""

    def submit(self, job: Job) -> None:
        """Start a job; there must be capacity."""

    def events(self, timeout: float) -> list[Event]:
        """Return what happened, waiting at most `timeout` seconds for the first."""

    def stop(self, job: int) -> None:
        """Ask a running job to stop; a job that finishes first is done all the same."""

    def give_up(self, job: int, reason: str) -> None:
        """End a running job's worker at once: the job is lost, for this reason."""

    def close(self) -> None:
        """End all workers at once."""
