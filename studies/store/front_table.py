"""The stored Pareto front: the only one that is printed, exported or confirmed."""

from math import isnan

from sqlalchemy import delete
from sqlalchemy.orm import Session

from space import placements_in_words

from ..front import Front, Point
from .storage import OpenStudy
from .tables import FrontRow


def store_front(study: OpenStudy, front: Front) -> None:
    """Replace the study's rows of `pareto_front`, in one transaction."""
    with Session(study.engine) as session:
        session.execute(delete(FrontRow).where(FrontRow.study_uid == study.uid))
        session.add_all(_row(study, rank, row) for rank, row in enumerate(front.rows, start=1))
        session.commit()


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
