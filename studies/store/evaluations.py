"""Read and write the rows of training runs; each function is one short transaction."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from space import Architecture, Cost, cost, digest

from .attempts import close_attempt
from .damage import refuse_impossible, refuse_other_types, refuse_unlike, undamaged
from .records import Ending, Epoch, Evaluation, Outcome, Purpose
from .storage import OpenStudy
from .tables import EpochRow, EvaluationRow, GatesRow

MOST_PARSED = 2**15  # architectures that are kept


@undamaged("the table of trainings")
def evaluations(study: OpenStudy) -> tuple[Evaluation, ...]:
    """Return every training run of the study, in the order of proposals."""
    query = (
        select(*EvaluationRow.__table__.columns)  # objects of the session take three times as long
        .where(EvaluationRow.study_uid == study.uid)
        .order_by(EvaluationRow.id)
    )
    with Session(study.engine) as session:
        found = tuple(_record(row) for row in session.execute(query))
    refuse_unlike(found)
    return found


@undamaged("the table of trainings")
def evaluation(study: OpenStudy, evaluation_id: int) -> Evaluation:
    """Return one training run."""
    with Session(study.engine) as session:
        return _record(session.get_one(EvaluationRow, evaluation_id))


@undamaged("the table of epochs")
def epochs(study: OpenStudy, evaluation: Evaluation) -> tuple[Epoch, ...]:
    """Return the epochs of the evaluation's last attempt."""
    query = (
        select(EpochRow)
        .where(EpochRow.evaluation_id == evaluation.id, EpochRow.attempt == evaluation.attempt)
        .order_by(EpochRow.epoch)
    )
    with Session(study.engine) as session:
        return tuple(_epoch(row) for row in session.scalars(query))


@undamaged("the table of epochs")
def curves(study: OpenStudy) -> dict[int, list[Epoch]]:
    """Return the epochs of the last attempt at every training run of the study, by its id."""
    query = (
        select(*EpochRow.__table__.columns)
        .join(EvaluationRow, EvaluationRow.id == EpochRow.evaluation_id)
        .where(EvaluationRow.study_uid == study.uid, EvaluationRow.attempt == EpochRow.attempt)
        .order_by(EpochRow.evaluation_id, EpochRow.epoch)
    )
    found: dict[int, list[Epoch]] = {}
    with Session(study.engine) as session:
        for row in session.execute(query):
            found.setdefault(row.evaluation_id, []).append(_epoch(row))
    return found


@undamaged("the table of gates")
def gates(study: OpenStudy, evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    """Return, by module, what attention did in the evaluation's network; empty if unknown."""
    query = (
        select(GatesRow).where(GatesRow.evaluation_id == evaluation.id).order_by(GatesRow.module)
    )
    with Session(study.engine) as session:
        return {row.module: json.loads(row.statistics) for row in session.scalars(query)}


def add_proposal(
    study: OpenStudy,
    architecture: Architecture,
    *,
    trial: int | None,
    proposal: int,
    purpose: Purpose,
    seed: int,
) -> Evaluation:
    """Store a run that is about to be submitted, and return it."""
    price = cost(architecture)
    row = EvaluationRow(
        study_uid=study.uid,
        trial=trial,
        proposal=proposal,
        purpose=purpose,
        digest=digest(architecture),
        architecture=architecture.to_json(),
        seed=seed,
        protocol_digest=str(study.settings["protocol_digest"]),
        macs=price.macs,
        params=price.params,
        state="proposed",
        attempt=1,
    )
    with Session(study.engine) as session:
        session.add(row)
        session.commit()
        return _record(row)


def set_waiting(study: OpenStudy, evaluation_id: int, attempt: int) -> None:
    """Store that the run waits for a worker again."""
    _update(study, evaluation_id, state="proposed", attempt=attempt)


def add_epoch(study: OpenStudy, evaluation_id: int, attempt: int, epoch: Epoch) -> None:
    """Store one epoch."""
    row = EpochRow(
        evaluation_id=evaluation_id,
        attempt=attempt,
        epoch=epoch.epoch,
        train_loss=epoch.train_loss,
        validation_loss=epoch.validation_loss,
        accuracy=epoch.accuracy,
        seconds=epoch.seconds,
    )
    with Session(study.engine) as session:
        session.merge(row)
        session.commit()


def complete(study: OpenStudy, evaluation_id: int, attempt: int, outcome: Outcome) -> None:
    """Store the outcome: from here on the run is never repeated."""
    with Session(study.engine) as session:
        close_attempt(session, evaluation_id, attempt, "complete", outcome.times)
        session.add_all(
            GatesRow(
                evaluation_id=evaluation_id,
                module=module,
                gain=statistics.get("gain"),
                statistics=json.dumps(statistics, allow_nan=False),
            )
            for module, statistics in outcome.gates.items()
        )
        _set(
            session,
            evaluation_id,
            state="complete",
            accuracy=outcome.accuracy,
            correct=outcome.correct,
            seconds=outcome.seconds,
            images_per_second=outcome.images_per_second,
            finished_at=datetime.now(UTC),
        )
        session.commit()


def fail(study: OpenStudy, evaluation_id: int, reason: str, how: Ending = "failed") -> None:
    """Store why the run ended without an outcome, and how its last attempt did."""
    last = select(EvaluationRow.attempt).where(EvaluationRow.id == evaluation_id)
    with Session(study.engine) as session:
        close_attempt(session, evaluation_id, session.scalars(last).one(), how, None)
        _set(session, evaluation_id, state="failed", **_ended(reason))
        session.commit()


def set_audit(study: OpenStudy, evaluation_id: int) -> None:
    """Store that the run would be stopped and is trained to its end instead."""
    _update(study, evaluation_id, purpose="audit")


def stop(study: OpenStudy, evaluation_id: int, attempt: int, reason: str) -> None:
    """Store why the run was stopped early: from here on it is never repeated."""
    with Session(study.engine) as session:
        close_attempt(session, evaluation_id, attempt, "stopped", None)
        _set(session, evaluation_id, state="stopped", **_ended(reason))
        session.commit()


def refuse(study: OpenStudy, evaluation_id: int, reason: str) -> None:
    """Store why the proposal was not trained at all."""
    _update(study, evaluation_id, state="refused", **_ended(reason))


def completed(found: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """Return the runs that ended with an accuracy, reference networks left out."""
    return tuple(one for one in found if one.state == "complete" and one.purpose != "reference")


def _ended(reason: str) -> dict[str, object]:
    return {"reason": reason, "finished_at": datetime.now(UTC)}


def _update(study: OpenStudy, evaluation_id: int, **values: object) -> None:
    with Session(study.engine) as session:
        _set(session, evaluation_id, **values)
        session.commit()


def _set(session: Session, evaluation_id: int, **values: object) -> None:
    session.execute(
        update(EvaluationRow).where(EvaluationRow.id == evaluation_id).values(**values)
    )


@lru_cache(maxsize=MOST_PARSED)  # a run reads its whole study several times
def _parsed(text: str) -> Architecture:
    return Architecture.from_json(text)


def _epoch(row: EpochRow | Row[Any]) -> Epoch:
    refuse_other_types(row, EpochRow)
    return Epoch(row.epoch, row.train_loss, row.validation_loss, row.accuracy, row.seconds)


def _record(row: EvaluationRow | Row[Any]) -> Evaluation:
    refuse_other_types(row, EvaluationRow)
    refuse_impossible(row)
    return Evaluation(
        id=row.id,
        trial=row.trial,
        proposal=row.proposal,
        purpose=row.purpose,  # type: ignore[arg-type] # the column holds only what we wrote
        digest=row.digest,
        architecture=_parsed(row.architecture),
        cost=Cost(row.macs, row.params),
        seed=row.seed,
        state=row.state,  # type: ignore[arg-type] # the same
        attempt=row.attempt,
        reason=row.reason,
        accuracy=row.accuracy,
        correct=row.correct,
        seconds=row.seconds,
        images_per_second=row.images_per_second,
    )
