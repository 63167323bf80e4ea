"""Everything that the page shows of a study, gathered once; nothing here draws."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from ..confirmation.ledger import Openings, openings
from ..front import Front
from ..stops import Stops, stops_of
from ..store.attempts import attempts, total_times
from ..store.evaluations import curves, evaluations
from ..store.extra_tables import ExtraRow
from ..store.gates import stored_gates
from ..store.records import Attempt, Evaluation, Times
from ..store.sessions import StudySession, sessions
from ..store.storage import OpenStudy
from .choices import Choices, choices
from .gates import ModuleRow, gate_rows
from .learning import Curve, learning
from .progress import Step, progress, seconds_of
from .words import Confirmation, Explained, Words


@dataclass(frozen=True, slots=True)
class Spent:
    """The trainings by purpose and state, and what they took."""

    states: Mapping[tuple[str, str], int]
    seconds: float  # of the study's trainings, references and stopped ones included
    times: Times  # of the workers, where they are known
    num_halved: int  # trained with half the batch, since memory ran out
    extras: Mapping[str, tuple[int, float]]  # complete trainings beside the total, and seconds


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """The facts of all sections."""

    name: str
    settings: Mapping[str, object]
    front: Front
    words: Words
    progress: tuple[Step, ...]
    choices: Choices
    curves: tuple[Curve, ...]
    stops: Stops
    gates: tuple[ModuleRow, ...]
    explained: Explained | None  # None while the noise is unknown
    confirmations: tuple[Confirmation, ...]
    sessions: tuple[StudySession, ...]
    spent: Spent
    openings: Openings  # of the test images
    gate_pictures: Mapping[int, bytes] = field(default_factory=dict)  # PNG by the row's number
    unfinished: tuple[str, ...] = ()  # confirmations that were begun, in words


def report_facts(
    study: OpenStudy,
    front: Front,
    *,
    words: Words,
    edge: float,
    explained: Explained | None,
    confirmations: tuple[Confirmation, ...],
) -> ReportFacts:
    """Return the facts; `edge` is how far on the cost axis the hypervolume reaches."""
    found, epochs = evaluations(study), curves(study)
    return ReportFacts(
        study.name,
        study.settings,
        front,
        words,
        progress=progress(front, found, epochs, edge),
        choices=choices(front),
        curves=learning(front, found, epochs),
        stops=stops_of(found, epochs, front, int(str(study.settings["epochs"]))),
        gates=gate_rows(front, found, stored_gates(study)),
        explained=explained,
        confirmations=confirmations,
        sessions=sessions(study),
        spent=Spent(
            Counter((one.purpose, one.state) for one in found),
            sum(seconds_of(one, epochs) for one in found),
            total_times(tried := attempts(study)),
            _num_halved(found, tried),
            _extras(study),
        ),
        openings=openings(study),
    )


def _num_halved(found: tuple[Evaluation, ...], tried: tuple[Attempt, ...]) -> int:
    short = {one.evaluation_id for one in tried if one.ending == "out_of_memory"}
    return sum(one.id in short for one in found if one.state == "complete")


def _extras(study: OpenStudy) -> dict[str, tuple[int, float]]:
    """Return how many trainings beside the total are complete, by purpose, and their seconds."""
    if not inspect(study.engine).has_table(ExtraRow.__tablename__):
        return {}
    query = (
        select(ExtraRow.purpose, func.count(), func.sum(ExtraRow.seconds))
        .where(ExtraRow.study_uid == study.uid, ExtraRow.state == "complete")
        .group_by(ExtraRow.purpose)
    )
    with Session(study.engine) as session:
        return {
            purpose: (number, seconds or 0.0)
            for purpose, number, seconds in session.execute(query)
        }
