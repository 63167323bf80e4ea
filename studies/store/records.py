"""Plain data out of the tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from space import Architecture, Cost

Purpose = Literal["trial", "replicate", "reference", "audit"]
State = Literal["proposed", "running", "complete", "failed", "refused", "stopped"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch showed; accuracy on the validation images, 0 to 1."""

    epoch: int
    train_loss: float
    validation_loss: float
    accuracy: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one training run ended with."""

    accuracy: float
    correct: bytes  # one bit for each validation image, in whole bytes, numpy.packbits order
    macs: int
    params: int
    seconds: float
    images_per_second: float
    # By the module's name: what its attention did on one validation batch, as plain JSON values.
    gates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    times: "Times | None" = None
    unaveraged: float | None = None  # accuracy before the weights were averaged, where they are


@dataclass(frozen=True, slots=True)
class Times:
    """Where the seconds of a worker's job went."""

    start_up: float  # from the job's arrival to its first step
    training: float
    validation: float
    closing: float  # after the last epoch
    waiting: float = 0.0  # for the job


Ending = Literal["complete", "failed", "out_of_memory", "stopped"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at an evaluation; no ending while it runs, or if it was lost."""

    evaluation_id: int
    attempt: int
    batch_size: int
    learning_rate: float
    ending: Ending | None = None
    times: Times | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One training run of one architecture.

    `proposal` counts all proposals of the study from 0; a reference network has no trial. An audit
    would have been stopped early, and was trained to its end to see whether that is right.
    """

    id: int
    trial: int | None
    proposal: int
    purpose: Purpose
    digest: str
    architecture: Architecture
    cost: Cost
    seed: int
    state: State
    attempt: int
    reason: str | None
    accuracy: float | None
    correct: bytes | None
    seconds: float | None
    images_per_second: float | None

    @property
    def is_final(self) -> bool:
        """Say whether the outcome is stored: the point of no return."""
        return self.state in ("complete", "failed", "refused", "stopped")

    @property
    def counts(self) -> bool:
        """Say whether it is one of the study's total of trainings."""
        return self.state in ("complete", "stopped") and self.purpose != "reference"
