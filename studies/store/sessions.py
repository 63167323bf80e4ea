"""Where and with what a study was run: one record for each `search run` that trained."""

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from pydantic import BaseModel, ConfigDict
from sqlalchemy import inspect, select, update
from sqlalchemy.orm import Session

from .damage import refuse_other_types, undamaged
from .extra_tables import SessionRow
from .schema import create_tables
from .storage import OpenStudy

PACKAGES = ("attention-search", "torch", "torchvision", "optuna", "numpy", "scipy")


class Surroundings(BaseModel):
    """What ran a study: the machine, the programs and the words that called them."""

    model_config = ConfigDict(frozen=True)

    command: str
    device: str
    hardware: str  # of the processor or the GPUs
    num_cores: int
    num_workers: int
    system: str
    versions: dict[str, str]


class StudySession(BaseModel):
    """One session; without an end it still runs, or was killed."""

    model_config = ConfigDict(frozen=True)

    surroundings: Surroundings
    started_at: datetime
    ended_at: datetime | None
    ending: str | None


def begin_session(study: OpenStudy, surroundings: Surroundings) -> int:
    """Store that a session begins; return its number."""
    create_tables(study.engine)  # an older version made the study without this one
    row = SessionRow(
        study_uid=study.uid,
        document=surroundings.model_dump_json(),
        started_at=datetime.now(UTC),
    )
    with Session(study.engine) as session:
        session.add(row)
        session.commit()
        return row.id


def end_session(study: OpenStudy, number: int, ending: str) -> None:
    """Store when and how a session ended."""
    with Session(study.engine) as session:
        session.execute(
            update(SessionRow)
            .where(SessionRow.id == number)
            .values(ended_at=datetime.now(UTC), ending=ending)
        )
        session.commit()


@undamaged("the table of sessions")
def sessions(study: OpenStudy) -> tuple[StudySession, ...]:
    """Return the study's sessions, oldest first; none from before they were stored."""
    if not inspect(study.engine).has_table(SessionRow.__tablename__):
        return ()
    query = select(SessionRow).where(SessionRow.study_uid == study.uid).order_by(SessionRow.id)
    with Session(study.engine) as session:
        return tuple(_record(row) for row in session.scalars(query))


def system_in_words() -> str:
    """Return the operating system and its release."""
    return f"{platform.system()} {platform.release()}"


def versions() -> dict[str, str]:
    """Return the versions of Python and of what trains and keeps a study."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _record(row: SessionRow) -> StudySession:
    refuse_other_types(row, SessionRow)
    return StudySession(
        surroundings=Surroundings.model_validate_json(row.document),
        started_at=row.started_at,
        ended_at=row.ended_at,
        ending=row.ending,
    )
