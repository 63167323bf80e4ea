"""What attention did in every network of a study, as it was stored."""

import json
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from .damage import undamaged
from .storage import OpenStudy
from .tables import EvaluationRow, GatesRow

Statistics = dict[str, dict[str, Any]]  # by module: those of `backbones.ModuleStatistics`


@undamaged("the table of gates")
def stored_gates(study: OpenStudy) -> dict[int, Statistics]:
    """Return the modules' statistics by the evaluation's id; none from before they were stored."""
    if not inspect(study.engine).has_table(GatesRow.__tablename__):
        return {}
    query = (
        select(GatesRow)
        .join(EvaluationRow, EvaluationRow.id == GatesRow.evaluation_id)
        .where(EvaluationRow.study_uid == study.uid)
        .order_by(GatesRow.evaluation_id, GatesRow.module)
    )
    found: dict[int, Statistics] = {}
    with Session(study.engine) as session:
        for row in session.scalars(query):
            found.setdefault(row.evaluation_id, {})[row.module] = json.loads(row.statistics)
    return found
