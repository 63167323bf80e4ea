"""How far a study is, counted by the database: no training is read, however many there are."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..stops import Stops
from .storage import OpenStudy
from .tables import EpochRow, EvaluationRow


@dataclass(frozen=True, slots=True)
class Counts:
    """The trainings by purpose and state, and why they failed, the most frequent reason first."""

    numbers: Counter[tuple[str, str]]
    reasons: tuple[tuple[str | None, int], ...]

    def of(self, *, purpose: str | None = None, state: str | None = None) -> int:
        """Return how many there are of a purpose, of a state, or of both."""
        return sum(
            number
            for (own, reached), number in self.numbers.items()
            if purpose in (None, own) and state in (None, reached)
        )

    @property
    def num_ended(self) -> int:
        """Return how many the front is made of, reference networks included."""
        return self.of(state="complete") + self.of(state="stopped")


def counts(study: OpenStudy) -> Counts:
    """Return the counts of a study."""
    row, number = EvaluationRow, func.count()
    own = row.study_uid == study.uid
    groups = select(row.purpose, row.state, number).where(own).group_by(row.purpose, row.state)
    failed = (
        select(row.reason, number)
        .where(own, row.state == "failed")
        .group_by(row.reason)
        .order_by(number.desc(), func.min(row.id))
    )
    with Session(study.engine) as session:
        numbers = {(purpose, state): count for purpose, state, count in session.execute(groups)}
        reasons = tuple((reason, count) for reason, count in session.execute(failed))
    return Counts(Counter(numbers), reasons)


def stop_counts(study: OpenStudy, on_front: Collection[str], num_epochs: int) -> Stops:
    """Return what `stops_of` does, of a front that is given by its digests."""
    row = EvaluationRow
    is_ended = row.state.in_(("complete", "stopped"))
    ended = (row.study_uid == study.uid, row.purpose != "reference", is_ended)
    number = select(func.count()).select_from(row).where(*ended)
    audits = number.where(row.purpose == "audit")
    trained = (
        select(func.count())
        .select_from(EpochRow)
        .join(row, (row.id == EpochRow.evaluation_id) & (row.attempt == EpochRow.attempt))
        .where(*ended, row.state == "stopped")
    )
    with Session(study.engine) as session:
        num_ended, num_stopped, num_audits, num_wrong, epochs = (
            session.scalars(query).one()
            for query in (
                number,
                number.where(row.state == "stopped"),
                audits,
                audits.where(row.digest.in_(on_front)),
                trained,
            )
        )
    saved = (num_epochs * num_stopped - epochs) / (num_epochs * num_ended) if num_ended else 0.0
    return Stops(num_stopped, saved, num_audits, num_wrong)
