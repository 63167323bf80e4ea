"""Trainings beside a study's total: asked for by a command, stored one by one, never repeated."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from sqlalchemy import func, inspect, select, update
from sqlalchemy.orm import Session

from space import Architecture, Refusal, digest

from .damage import WAY_OUT, refuse_other_types, undamaged
from .extra_tables import ExtraRow, FailureRow
from .records import Outcome
from .schema import create_tables
from .storage import OpenStudy

ExtraPurpose = Literal["confirm", "fresh", "ablation", "baseline"]
ExtraState = Literal["waiting", "complete", "failed"]
STATES = get_args(ExtraState)
MOST_FAILURES = 2  # the same seed and protocol again: a third time would end the same way


@dataclass(frozen=True, slots=True)
class Wanted:
    """A training that somebody asks for."""

    purpose: ExtraPurpose
    architecture: Architecture
    seed: int
    protocol_digest: str


@dataclass(frozen=True, slots=True)
class Extra:
    """One such training; accuracy from 0 to 1 on validation images, if it is complete."""

    id: int
    wanted: Wanted
    digest: str
    state: ExtraState
    reason: str | None = None
    accuracy: float | None = None
    correct: bytes | None = None
    seconds: float | None = None
    num_failures: int = 0  # before anything came out of it

    @property
    def is_given_up(self) -> bool:
        """Say whether it failed in two calls and never ended well.

        One that did end well has only lost its weights: it will end well again.
        """
        is_new = self.accuracy is None
        return self.state == "failed" and is_new and self.num_failures >= MOST_FAILURES


def asked_for(
    study: OpenStudy, wanted: Sequence[Wanted], *, settled: Collection[int] = ()
) -> tuple[Extra, ...]:
    """Return these trainings in this order, stored before or stored now.

    One that failed is asked for again, since its reason may be mended, unless it is `settled`.
    """
    create_tables(study.engine)  # an older version made the study without these
    with Session(study.engine) as session:
        known = {_key(one.wanted): one.id for one in _all(session, study)}
        for one in wanted:
            if _key(one) not in known:
                session.add(row := _row(study, one))
                session.flush()
                known[_key(one)] = row.id
        ids = [known[_key(one)] for one in wanted]
        open_ids = [one for one in ids if one not in settled]
        again = update(ExtraRow).where(ExtraRow.id.in_(open_ids), ExtraRow.state == "failed")
        session.execute(again.values(state="waiting", reason=None))
        session.commit()
        found = {one.id: one for one in _all(session, study)}
    return tuple(found[number] for number in ids)


def known_extras(study: OpenStudy, wanted: Sequence[Wanted]) -> tuple[Extra, ...]:
    """Return what is known of these trainings, without asking for them: a new one has no id."""
    if not inspect(study.engine).has_table(ExtraRow.__tablename__):
        return tuple(Extra(0, one, digest(one.architecture), "waiting") for one in wanted)
    with Session(study.engine) as session:
        known = {_key(one.wanted): one for one in _all(session, study)}
    return tuple(
        known.get(_key(one)) or Extra(0, one, digest(one.architecture), "waiting")
        for one in wanted
    )


def complete_extra(study: OpenStudy, extra: Extra, outcome: Outcome) -> Extra:
    """Store what came out: from here on it is never repeated."""
    return _ended(
        study,
        extra,
        state="complete",
        accuracy=outcome.accuracy,
        correct=outcome.correct,
        seconds=outcome.seconds,
    )


def fail_extra(study: OpenStudy, extra: Extra, reason: str) -> Extra:
    """Store why nothing came out, and that it was tried."""
    with Session(study.engine) as session:
        row = FailureRow(extra_id=extra.id, reason=reason, failed_at=datetime.now(UTC))
        session.add(row)
        session.commit()
    return _ended(study, extra, state="failed", reason=reason)


def _ended(study: OpenStudy, extra: Extra, **values: object) -> Extra:
    with Session(study.engine) as session:
        session.execute(
            update(ExtraRow)
            .where(ExtraRow.id == extra.id)
            .values(**values, finished_at=datetime.now(UTC))
        )
        session.commit()
        failures = _failures(session).get(extra.id, 0)
        return _record(session.get_one(ExtraRow, extra.id), failures)


@undamaged("the table of extra trainings")
def _all(session: Session, study: OpenStudy) -> list[Extra]:
    query = select(ExtraRow).where(ExtraRow.study_uid == study.uid).order_by(ExtraRow.id)
    failures = _failures(session)
    return [_record(row, failures.get(row.id, 0)) for row in session.scalars(query)]


def _failures(session: Session) -> dict[int, int]:
    """Return how often each training failed; an older version's file counts none."""
    if not inspect(session.connection()).has_table(FailureRow.__tablename__):
        return {}
    query = select(FailureRow.extra_id, func.count()).group_by(FailureRow.extra_id)
    return dict(session.execute(query).all())


def _key(one: Wanted) -> tuple[str, str, str, int]:
    return one.purpose, one.protocol_digest, digest(one.architecture), one.seed


def _row(study: OpenStudy, one: Wanted) -> ExtraRow:
    return ExtraRow(
        study_uid=study.uid,
        purpose=one.purpose,
        protocol_digest=one.protocol_digest,
        digest=digest(one.architecture),
        architecture=one.architecture.to_json(),
        seed=one.seed,
        state="waiting",
    )


def _record(row: ExtraRow, num_failures: int) -> Extra:
    refuse_other_types(row, ExtraRow)
    is_whole = row.accuracy is not None and 0 <= row.accuracy <= 1
    if row.state not in STATES or (row.state == "complete" and not is_whole):
        raise Refusal(
            f"extra training {row.id} must be one of ours, got one that is {row.state} with "
            f"accuracy {row.accuracy}; {WAY_OUT}"
        )
    architecture = Architecture.from_json(row.architecture)
    purpose: ExtraPurpose = row.purpose  # type: ignore[assignment] # the column holds what we wrote
    return Extra(
        row.id,
        Wanted(purpose, architecture, row.seed, row.protocol_digest),
        row.digest,
        row.state,  # type: ignore[arg-type] # the same
        row.reason,
        row.accuracy,
        row.correct,
        row.seconds,
        num_failures,
    )
