"""Read and write the attempts at training runs: their batch, their ending, where time went."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Delete, Row, delete, func, inspect, select, update
from sqlalchemy.orm import Session

from .damage import refuse_other_types, undamaged
from .records import Attempt, Ending, Evaluation, Times
from .storage import OpenStudy
from .tables import AttemptRow, EpochRow, EvaluationRow


def start_attempt(study: OpenStudy, attempt: Attempt, protocol_digest: str) -> None:
    """Store that an attempt at a run begins; one that was taken back begins again."""
    row = AttemptRow(
        evaluation_id=attempt.evaluation_id,
        attempt=attempt.attempt,
        batch_size=attempt.batch_size,
        learning_rate=attempt.learning_rate,
        ending=None,
        **{f"{one.name}_seconds": None for one in fields(Times)},
    )
    running = update(EvaluationRow).where(EvaluationRow.id == attempt.evaluation_id)
    with Session(study.engine) as session:
        session.execute(_old_epochs(attempt))
        session.merge(row)
        session.execute(
            running.values(
                state="running", attempt=attempt.attempt, protocol_digest=protocol_digest
            )
        )
        session.commit()


def _old_epochs(attempt: Attempt) -> Delete:
    """Return what forgets the epochs of an attempt that was taken back and begins again."""
    return delete(EpochRow).where(
        EpochRow.evaluation_id == attempt.evaluation_id, EpochRow.attempt == attempt.attempt
    )


def end_attempt(study: OpenStudy, evaluation_id: int, attempt: int, ending: Ending) -> None:
    """Store how an attempt ended that has no outcome."""
    with Session(study.engine) as session:
        close_attempt(session, evaluation_id, attempt, ending, None)
        session.commit()


def close_attempt(
    session: Session, evaluation_id: int, attempt: int, ending: Ending, times: Times | None
) -> None:
    """Store an attempt's ending within a transaction of the caller's."""
    seconds = {f"{name}_seconds": value for name, value in asdict(times).items()} if times else {}
    session.execute(
        update(AttemptRow)
        .where(AttemptRow.evaluation_id == evaluation_id, AttemptRow.attempt == attempt)
        .values(ending=ending, **seconds)
    )


@undamaged("the table of attempts")
def attempts(study: OpenStudy) -> tuple[Attempt, ...]:
    """Return every attempt at the study's runs; none where an older version made the study."""
    if not inspect(study.engine).has_table(AttemptRow.__tablename__):
        return ()
    query = (
        select(*AttemptRow.__table__.columns)
        .join(EvaluationRow, EvaluationRow.id == AttemptRow.evaluation_id)
        .where(EvaluationRow.study_uid == study.uid)
        .order_by(AttemptRow.evaluation_id, AttemptRow.attempt)
    )
    with Session(study.engine) as session:
        return tuple(_record(row) for row in session.execute(query))


@undamaged("the table of epochs")
def reached(study: OpenStudy, evaluation: Evaluation) -> tuple[int, ...]:
    """Return the last epoch that each attempt at a run showed, 0 for none, the first one first.

    Where memory ran out, only the attempts after that: they have another batch.
    """
    shown = (
        select(EpochRow.attempt, func.max(EpochRow.epoch))
        .where(EpochRow.evaluation_id == evaluation.id)
        .group_by(EpochRow.attempt)
    )
    spent = select(func.max(AttemptRow.attempt)).where(
        AttemptRow.evaluation_id == evaluation.id, AttemptRow.ending == "out_of_memory"
    )
    with Session(study.engine) as session:
        last = {attempt: int(epoch) for attempt, epoch in session.execute(shown)}
        first = 1 + (session.scalar(spent) or 0)
    return tuple(last.get(number, 0) for number in range(first, evaluation.attempt + 1))


def total_times(found: Sequence[Attempt]) -> Times:
    """Return the seconds of all attempts that have an outcome, part by part."""
    known = [one.times for one in found if one.times is not None]
    return Times(*(sum(getattr(one, part.name) for one in known) for part in fields(Times)))


def _record(row: Row[Any]) -> Attempt:
    refuse_other_types(row, AttemptRow)
    seconds = [getattr(row, f"{one.name}_seconds") for one in fields(Times)]
    return Attempt(
        row.evaluation_id,
        row.attempt,
        row.batch_size,
        row.learning_rate,
        row.ending,
        None if None in seconds else Times(*seconds),
    )
