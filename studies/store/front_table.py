"""The stored Pareto front: the only one that is printed, exported or confirmed."""

from dataclasses import dataclass
from math import isnan

from sqlalchemy import delete, inspect, select
from sqlalchemy.orm import Session

from space import placements_in_words

from ..estimates.posterior import Noise
from ..front import Front, Point
from ..verdicts import verdict
from .damage import refuse_other_types, undamaged
from .extra_tables import SummaryRow
from .storage import OpenStudy
from .tables import FrontRow


@dataclass(frozen=True, slots=True)
class Summary:
    """What a front says in short, and of how many ended trainings, references included."""

    num_ended: int
    num_points: int
    digests: tuple[str, ...]  # of its rows
    noise: Noise | None
    verdict: str


def summary_of(front: Front) -> Summary:
    """Return a front in short."""
    digests = tuple(row.digest for row in front.rows)
    return Summary(front.num_ended, len(front.points), digests, front.noise, verdict(front))


@undamaged("the table of summaries")
def stored_summary(study: OpenStudy) -> Summary | None:
    """Return what was stored with the front; None where an older version stored it, or nobody."""
    if not inspect(study.engine).has_table(SummaryRow.__tablename__):
        return None
    rows = select(FrontRow.digest).where(FrontRow.study_uid == study.uid).order_by(FrontRow.rank)
    with Session(study.engine) as session:
        found = session.get(SummaryRow, study.uid)
        digests = tuple(session.scalars(rows))
    if found is None or not digests:
        return None
    refuse_other_types(found, SummaryRow)
    sd, freedom = found.noise_sd, found.noise_freedom
    noise = None if sd is None or freedom is None else Noise(sd, freedom)
    return Summary(found.num_ended, found.num_points, digests, noise, found.verdict)


def store_front(study: OpenStudy, front: Front) -> None:
    """Replace the study's rows of `pareto_front`, and their summary, in one transaction."""
    with Session(study.engine) as session:
        session.execute(delete(FrontRow).where(FrontRow.study_uid == study.uid))
        session.add_all(_row(study, rank, row) for rank, row in enumerate(front.rows, start=1))
        session.merge(_summary_row(study, summary_of(front)))
        session.commit()


def _summary_row(study: OpenStudy, summary: Summary) -> SummaryRow:
    noise = summary.noise
    return SummaryRow(
        study_uid=study.uid,
        num_ended=summary.num_ended,
        num_points=summary.num_points,
        noise_sd=noise and noise.sd,
        noise_freedom=noise and noise.degrees_of_freedom,
        verdict=summary.verdict,
    )


def _row(study: OpenStudy, rank: int, point: Point) -> FrontRow:
    error = point.estimate.standard_error
    return FrontRow(
        study_uid=study.uid,
        rank=rank,
        trial=point.trial,
        placements=placements_in_words(point.architecture),
        estimate=point.estimate.accuracy,
        standard_error=None if isnan(error) else error,
        num_evaluations=point.estimate.num_evaluations,
        raw_mean=point.estimate.raw_mean,
        macs=point.cost.macs,
        params=point.cost.params,
        digest=point.digest,
        architecture=point.architecture.to_json(),
    )
