"""Our tables beside Optuna's, in the same database.

They are keyed by a study's uid and the trial number and have no foreign key to Optuna's tables:
Optuna reuses ids after a deletion, and its deletion fails silently under a foreign key.
"""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import LargeBinary, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from .columns import WHOLE, Moment, Words

SCHEMA_VERSION = 1


class Table(DeclarativeBase):
    """All tables of this project."""

    metadata = MetaData()
    type_annotation_map: ClassVar = {int: WHOLE, datetime: Moment()}


class StudyRow(Table):
    """One study: its settings, which a resumed run must share."""

    __tablename__ = "attention_studies"

    study_uid: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str]
    schema_version: Mapped[int]
    settings: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class EvaluationRow(Table):
    """One training run, from its proposal to its outcome.

    `state` is proposed, running, complete, stopped (early, with no accuracy), failed or refused.
    `purpose` is trial, replicate, reference or audit (trained to its end where it would have been
    stopped).
    """

    __tablename__ = "attention_evaluations"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(32), index=True)
    trial: Mapped[int | None]
    proposal: Mapped[int]
    purpose: Mapped[str]
    digest: Mapped[str]
    architecture: Mapped[str] = mapped_column(Text)
    seed: Mapped[int]
    protocol_digest: Mapped[str]
    macs: Mapped[int]
    params: Mapped[int]
    state: Mapped[str]
    attempt: Mapped[int]
    reason: Mapped[str | None] = mapped_column(Words)
    accuracy: Mapped[float | None]
    correct: Mapped[bytes | None] = mapped_column(LargeBinary)
    seconds: Mapped[float | None]
    images_per_second: Mapped[float | None]
    finished_at: Mapped[datetime | None]


class EpochRow(Table):
    """One epoch of one attempt at an evaluation."""

    __tablename__ = "attention_epochs"

    evaluation_id: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    train_loss: Mapped[float]
    validation_loss: Mapped[float]
    accuracy: Mapped[float]
    seconds: Mapped[float]


class AttemptRow(Table):
    """One attempt at an evaluation: with what batch it trained, how it ended, what took its time.

    `ending` is complete, stopped, failed or out_of_memory; null while it runs or if it was lost.
    Its seconds are its worker's: waiting for the job, from the job to the first step, training,
    validating, and the gates and the rest after the last epoch.
    """

    __tablename__ = "attention_attempts"

    evaluation_id: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    batch_size: Mapped[int]
    learning_rate: Mapped[float]
    ending: Mapped[str | None]
    waiting_seconds: Mapped[float | None]
    start_up_seconds: Mapped[float | None]
    training_seconds: Mapped[float | None]
    validation_seconds: Mapped[float | None]
    closing_seconds: Mapped[float | None]


class GatesRow(Table):
    """What one attention module did on a validation batch when its training had ended.

    `gain` is the size of what it changes over that of its input; `statistics` is JSON, its keys
    those of `backbones.ModuleStatistics`.
    """

    __tablename__ = "attention_gates"

    evaluation_id: Mapped[int] = mapped_column(primary_key=True)
    module: Mapped[str] = mapped_column(primary_key=True)
    gain: Mapped[float | None]
    statistics: Mapped[str] = mapped_column(Text)


class FrontRow(Table):
    """One architecture of the Pareto front: derived, rebuilt at every start and after every trial.

    Accuracies are 0 to 1; `estimate` and `standard_error` come from all evaluations of the study,
    `raw_mean` from this architecture's alone.
    """

    __tablename__ = "pareto_front"

    study_uid: Mapped[str] = mapped_column(String(32), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    trial: Mapped[int]
    placements: Mapped[str] = mapped_column(Text)
    estimate: Mapped[float]
    standard_error: Mapped[float | None]
    num_evaluations: Mapped[int]
    raw_mean: Mapped[float]
    macs: Mapped[int]
    params: Mapped[int]
    digest: Mapped[str]
    architecture: Mapped[str] = mapped_column(Text)


class LedgerRow(Table):
    """One opening of the test images; only a confirmation writes here."""

    __tablename__ = "attention_test_ledger"

    number: Mapped[int] = mapped_column(primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(32), index=True)
    dataset: Mapped[str]
    digest: Mapped[str]
    seed: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
