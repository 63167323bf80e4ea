"""Our tables of what is trained and read beside a study's total: confirmations, ablations, ...

Like all of ours they are keyed by the study's uid and have no foreign key to Optuna's tables.
"""

from datetime import datetime

from sqlalchemy import LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .columns import Words
from .tables import Table


class ExtraRow(Table):
    """One training outside the study's total, each with its own protocol.

    `purpose` is confirm (training and validation images, then the test), fresh (the study's own
    protocol with fresh seeds), ablation or baseline; `state` is waiting, complete or failed. One
    that was interrupted is still waiting. `accuracy` is of validation images: those of `confirm`
    were trained on.
    """

    __tablename__ = "attention_extra_trainings"
    __table_args__ = (
        UniqueConstraint("study_uid", "purpose", "protocol_digest", "digest", "seed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(32), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    protocol_digest: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64))
    architecture: Mapped[str] = mapped_column(Text)
    seed: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str | None] = mapped_column(Words)
    accuracy: Mapped[float | None]
    correct: Mapped[bytes | None] = mapped_column(LargeBinary)
    seconds: Mapped[float | None]
    finished_at: Mapped[datetime | None]


class FailureRow(Table):
    """One end without an outcome of a training beside the total, however often it is asked for."""

    __tablename__ = "attention_extra_failures"

    id: Mapped[int] = mapped_column(primary_key=True)
    extra_id: Mapped[int] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(Words)
    failed_at: Mapped[datetime]


class ReadingRow(Table):
    """What one opening of the test images showed of one model; no accuracy: nobody saw any."""

    __tablename__ = "attention_test_readings"

    number: Mapped[int] = mapped_column(primary_key=True)  # of the entry in the test ledger
    extra_id: Mapped[int] = mapped_column(index=True)
    accuracy: Mapped[float | None]
    correct: Mapped[bytes | None] = mapped_column(LargeBinary)


class ConfirmationRow(Table):
    """One confirmation: what is trained for it, and what the study claimed when it was planned.

    `key` is a digest of the plan: the same question finds the same row. `latency_ratios` is JSON,
    one number for each arm, once they were measured.
    """

    __tablename__ = "attention_confirmations"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(32), index=True)
    key: Mapped[str] = mapped_column(String(16))
    document: Mapped[str] = mapped_column(Text)
    latency_ratios: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class SessionRow(Table):
    """One `search run` of a study: where, with what and by which command; see `sessions.py`.

    Without an end it still runs, or was killed.
    """

    __tablename__ = "attention_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(32), index=True)
    document: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ending: Mapped[str | None]


class SummaryRow(Table):
    """What the rows of `pareto_front` say together, so that a status need not estimate anew.

    `num_ended` is how many complete and stopped trainings they were made of, references included.
    """

    __tablename__ = "attention_front_summaries"

    study_uid: Mapped[str] = mapped_column(String(32), primary_key=True)
    num_ended: Mapped[int]
    num_points: Mapped[int]
    noise_sd: Mapped[float | None]
    noise_freedom: Mapped[int | None]
    verdict: Mapped[str] = mapped_column(Text)
