"""Stored confirmations of a study, and their results as the trainings and readings come in."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, inspect, select, update
from sqlalchemy.orm import Session

from space import Cost, cost, digest

from ..estimates.posterior import Noise
from ..store.damage import undamaged
from ..store.extra_tables import ConfirmationRow
from ..store.extras import Extra, Wanted, asked_for, known_extras
from ..store.schema import create_tables
from ..store.storage import OpenStudy
from .comparison import Arm, Confirmation, Interval, Optimism, gains, optimism
from .ledger import Reading, readings
from .standing import Standing, standing

TABLE = "the table of confirmations"


@dataclass(frozen=True, slots=True)
class Trainings:
    """The trainings of a confirmation, in the order in which they are best done."""

    confirm: tuple[Extra, ...]
    fresh: tuple[Extra, ...]


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What one network showed: test accuracies by seed, 0 to 1, and its gain over plain."""

    arm: Arm
    cost: Cost
    accuracies: tuple[float, ...]
    gain: Interval | None  # None of plain itself, and below two seeds
    num_failed: int
    num_fresh_failed: int = 0
    is_left_out: bool = False  # too few of its trainings ended: its test images stay closed

    @property
    def mean(self) -> float:
        """Return the mean test accuracy."""
        return sum(self.accuracies) / len(self.accuracies)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A finished confirmation."""

    confirmation: Confirmation
    arms: tuple[ArmResult, ...]
    optimism: Optimism | None
    num_readings: int  # of each model's test images, the most of any
    look: int = 1  # how many confirmations of the study have looked at some of these models


def stored_confirmation(study: OpenStudy, wanted: Confirmation) -> Confirmation:
    """Return the stored one that asks the same, with what was claimed then, or store this."""
    create_tables(study.engine)
    with Session(study.engine) as session:
        query = select(ConfirmationRow.document).where(_is_of(study, wanted))
        document = session.scalars(query).first()
        if document is not None:
            return _plan(document)
        session.add(
            ConfirmationRow(
                study_uid=study.uid,
                key=wanted.key,
                document=wanted.model_dump_json(),
                created_at=datetime.now(UTC),
            )
        )
        session.commit()
    return wanted


def confirmations(study: OpenStudy) -> tuple[Confirmation, ...]:
    """Return every confirmation that was begun, oldest first; reads only."""
    if not inspect(study.engine).has_table(ConfirmationRow.__tablename__):
        return ()
    query = (
        select(ConfirmationRow.document)
        .where(ConfirmationRow.study_uid == study.uid)
        .order_by(ConfirmationRow.id)
    )
    with Session(study.engine) as session:
        return tuple(map(_plan, session.scalars(query)))


@undamaged(TABLE)
def _plan(document: str) -> Confirmation:
    return Confirmation.model_validate_json(document)


def wanted_of(plan: Confirmation) -> tuple[list[Wanted], list[Wanted]]:
    """Return the trainings of a confirmation and the fresh ones, a seed of every arm in turn."""
    turns = range(max(len(one.seeds) for one in plan.arms))
    confirm = [
        Wanted("confirm", arm.architecture, arm.seeds[turn], plan.protocol_digest)
        for turn in turns
        for arm in plan.arms
        if turn < len(arm.seeds)
    ]
    fresh = [
        Wanted("fresh", arm.architecture, seed, plan.own_digest)
        for seed in plan.fresh_seeds
        for arm in plan.finalists
    ]
    return confirm, fresh


def known_trainings(study: OpenStudy, plan: Confirmation) -> Trainings:
    """Return what is known of the trainings; reads only."""
    confirm, fresh = wanted_of(plan)
    return Trainings(known_extras(study, confirm), known_extras(study, fresh))


def trainings_of(study: OpenStudy, plan: Confirmation) -> Trainings:
    """Return the trainings, stored as asked for where they were not.

    Once one of its models was read, what was given up before is not tried again.
    """
    known = known_trainings(study, plan)
    settled: list[int] = []
    if standing_of(study, plan).num_read:
        settled = [one.id for one in (*known.confirm, *known.fresh) if one.is_given_up]
    confirm, fresh = wanted_of(plan)
    return Trainings(
        asked_for(study, confirm, settled=settled), asked_for(study, fresh, settled=settled)
    )


def standing_of(study: OpenStudy, plan: Confirmation) -> Standing:
    """Return how far it is; reads only."""
    read = {one.extra_id for one in readings(study)}
    return standing(plan, known_trainings(study, plan).confirm, read)


def is_done(study: OpenStudy, plan: Confirmation) -> bool:
    """Say whether nothing is left to train or to read; reads only."""
    fresh = known_trainings(study, plan).fresh
    settled = all(one.state == "complete" or one.is_given_up for one in fresh)
    return settled and standing_of(study, plan).is_read


def look_of(study: OpenStudy, plan: Confirmation) -> int:
    """Return the number of this look: how many before it have read some of its models, and 1."""
    own, earlier = set(map(_name, wanted_of(plan)[0])), 0
    for one in confirmations(study):
        if one.key == plan.key:
            break
        shares = not own.isdisjoint(map(_name, wanted_of(one)[0]))
        earlier += shares and standing_of(study, one).is_read
    return earlier + 1


def latency_ratios(study: OpenStudy, plan: Confirmation) -> tuple[float, ...] | None:
    """Return the time of a forward pass of each arm over plain's, if it was measured."""
    query = select(ConfirmationRow.latency_ratios).where(_is_of(study, plan))
    with Session(study.engine) as session:
        text = session.scalars(query).one()
    return None if text is None else _ratios(text, len(plan.arms))


@undamaged(TABLE)
def _ratios(text: str, num_arms: int) -> tuple[float, ...]:
    found = json.loads(text)
    if not isinstance(found, list) or len(found) != num_arms:
        raise ValueError(f"latency_ratios must be a number for each of {num_arms} networks")
    return tuple(float(one) for one in found)


def store_latency_ratios(study: OpenStudy, plan: Confirmation, ratios: Sequence[float]) -> None:
    """Store them, one for each arm."""
    change = update(ConfirmationRow).where(_is_of(study, plan))
    with Session(study.engine) as session:
        session.execute(change.values(latency_ratios=json.dumps(list(ratios))))
        session.commit()


def confirmed(study: OpenStudy, plan: Confirmation, noise: Noise | None) -> Confirmed:
    """Return what is known: complete once every training has ended and every model was read.

    `noise` is the study's of today, for a plan that was stored without the noise of its day.
    """
    done, known = known_trainings(study, plan), readings(study)
    left_out = standing(plan, done.confirm, {one.extra_id for one in known}).left_out
    latest = {one.extra_id: one for one in known}  # the last reading of each model
    accuracies = {arm.digest: _tested(arm, done.confirm, latest) for arm in plan.arms}
    enough = {key: found for key, found in accuracies.items() if len(found) > 1}
    base = plan.arms[0].digest
    over = gains(enough, base) if base in enough else {}
    fresh: dict[str, list[float]] = {}
    for one in done.fresh:
        if one.accuracy is not None:
            fresh.setdefault(one.digest, []).append(one.accuracy)
    failed, fresh_failed = (
        [one.digest for one in which if one.state == "failed"]
        for which in (done.confirm, done.fresh)
    )
    own = {one.id for one in done.confirm}
    counts = [sum(one.extra_id == number for one in known) for number in own]
    return Confirmed(
        plan,
        tuple(
            ArmResult(
                arm,
                cost(arm.architecture),
                accuracies[arm.digest],
                over.get(arm.digest),
                failed.count(arm.digest),
                fresh_failed.count(arm.digest),
                arm.digest in left_out,
            )
            for arm in plan.arms
        ),
        optimism(plan.finalists, fresh, plan.noise or noise),
        max(counts, default=0),
        look_of(study, plan),
    )


def _is_of(study: OpenStudy, plan: Confirmation) -> ColumnElement[bool]:
    return (ConfirmationRow.study_uid == study.uid) & (ConfirmationRow.key == plan.key)


def _name(one: Wanted) -> tuple[str, str, int]:
    return one.protocol_digest, digest(one.architecture), one.seed


def _tested(arm: Arm, done: Sequence[Extra], latest: dict[int, Reading]) -> tuple[float, ...]:
    found = [latest.get(one.id) for one in done if one.digest == arm.digest]
    return tuple(one.accuracy for one in found if one is not None and one.accuracy is not None)
