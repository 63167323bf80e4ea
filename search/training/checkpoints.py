"""A training's state on disk, so that a kill costs one epoch and no more than that or a minute.

A file holds the tensors as safetensors, and in its head what the training showed so far. It is
taken up by a later attempt at the very same training only: same network, seed, protocol, images,
device and version of torch, or the result would not be the undisturbed one.
"""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import get_ident
from time import monotonic
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from search.executors.jobs import Job
from search.executors.leaving import save_at_leaving
from studies import Epoch

from .state import TrainingState

FORMAT = 2  # of the file's head; the first had no digest
HEAD, DIGEST = "training", "sha256"  # its key in the metadata, and that of the digest of all
BROKEN = (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError, IndexError)


@dataclass(slots=True)
class Shown:
    """What a training showed so far: its epochs, and the seconds of them in validation."""

    epochs: list[Epoch] = field(default_factory=list)
    validation_seconds: float = 0.0

    def add(self, epoch: Epoch, validation_seconds: float) -> None:
        """Take in one more epoch."""
        self.epochs.append(epoch)
        self.validation_seconds += validation_seconds

    @property
    def seconds(self) -> float:
        """Return the seconds of all epochs."""
        return sum(one.seconds for one in self.epochs)


class Checkpoints:
    """Holds a job's state behind each epoch, and writes it at most once in so many seconds."""

    def __init__(self, job: Job, num_steps: int) -> None:
        self._where = job.checkpoint
        self._training = training_of(job)
        self._num_steps = num_steps  # of an epoch
        self._last = monotonic()
        self._held: tuple[dict[str, Tensor], dict[str, Any]] | None = None
        save_at_leaving(None)

    def begun(self, make: Callable[[], TrainingState]) -> tuple[TrainingState, Shown]:
        """Return what an earlier attempt left; a new state, if that is nothing or damaged."""
        state = make()
        if self._where is None or not self._where.path.is_file():
            return state, Shown()
        try:
            tensors, head = _read(self._where.path)
            if (head["format"], head["training"]) != (FORMAT, self._training):
                return state, Shown()
            epochs = [Epoch(**one) for one in head["epochs"]]
            state.restore(tensors, len(epochs), self._num_steps)
            return state, Shown(epochs, float(head["validation_seconds"]))
        except BROKEN:
            return make(), Shown()

    def keep(self, state: TrainingState, shown: Shown) -> None:
        """Hold the state behind an epoch, and write it if it is time; never behind the last.

        A worker that its driver leaves alone writes what it holds, so that a kill of the driver
        costs the epoch that runs. Trainings shorter than the time between two files do without.
        Behind the last epoch it still holds the one before, until the outcome is told.
        """
        protocol = state.protocol
        if self._where is None or state.num_epochs == protocol.epochs:
            return
        whole = shown.seconds / len(shown.epochs) * protocol.epochs
        if whole < self._where.every_seconds:
            return
        head = {"format": FORMAT, "training": self._training, **asdict(shown)}
        self._held = state.tensors(), head  # made whole before it replaces the one before
        save_at_leaving(self.write)
        if monotonic() - self._last >= self._where.every_seconds:
            self.write()

    def forget(self) -> None:
        """Hold nothing any longer: the outcome is told."""
        save_at_leaving(None)
        self._held = None

    def write(self) -> None:
        """Write what is held; a disk that refuses costs the file, not the training."""
        held = self._held
        if self._where is None or held is None:
            return
        with suppress(SafetensorError, OSError):
            _write(self._where.path, *held)
        self._last = monotonic()


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(str(path), "pt") as file:
        metadata = file.metadata() or {}
        head: dict[str, Any] = json.loads(metadata[HEAD])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    if metadata[DIGEST] != _digest(tensors, metadata[HEAD]):
        raise ValueError("it is not what was written")
    return tensors, head


def _write(path: Path, tensors: dict[str, Tensor], head: dict[str, Any]) -> None:
    """Write all at once: a kill, also of the machine, leaves the old file or the new one."""
    text = json.dumps(head)
    path.parent.mkdir(exist_ok=True)
    half = path.with_name(f".{path.name}.{get_ident()}.part")  # two threads may write at once
    try:
        save_file(tensors, str(half), metadata={HEAD: text, DIGEST: _digest(tensors, text)})
        with half.open("rb") as file:
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def _digest(tensors: dict[str, Tensor], head: str) -> str:
    """Return the SHA-256 of the head and of every tensor's name and bytes."""
    found = hashlib.sha256(head.encode())
    for name in sorted(tensors):
        found.update(name.encode())
        found.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def training_of(job: Job) -> str:
    """Return the digest of all that decides a training's numbers, its machine's part included."""
    facts = (
        job.architecture,
        job.seed,
        job.protocol.model_dump_json(),
        job.with_validation,
        job.device,
        torch.__version__,
    )
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
