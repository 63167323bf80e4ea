"""A study database in a file, read without writing to it: facts."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studies.store.storage import UID

from .locks import lock_holder, locks

CHECK_SECONDS = 20.0  # for SQLite's own check of every page
BUSY_SECONDS = 2.0
STEPS = 100_000  # of SQLite's machine between two looks at the clock


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """One study of the database: its trainings, and what is not over."""

    name: str
    is_ours: bool
    num_complete: int
    num_running: int  # trials that Optuna holds for running
    num_unfinished: int  # trainings of ours that were proposed or run


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What the file says of itself; no damage is None, a check that was cut short says so."""

    damage: str | None
    is_checked: bool
    versions: tuple[int, ...]  # of our tables, one for each study of ours
    optuna_version: str | None  # of Optuna's tables, in its own words
    studies: tuple[StudyFacts, ...]


def database_facts(path: Path) -> DatabaseFacts:
    """Read them all.

    Raises:
        sqlite3.Error: the file is no database, locked, or too damaged to be read.
    """
    with closing(_opened(path)) as connection:
        damage, is_checked = _checked(connection)
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        versions, optuna_version, studies = [], None, []
        if "attention_studies" in names:
            versions = _column(connection, "SELECT schema_version FROM attention_studies")
        if "alembic_version" in names:
            found = _column(connection, "SELECT version_num FROM alembic_version")
            optuna_version = found[0] if found else None
        if "studies" in names:
            rows = connection.execute("SELECT study_id, study_name FROM studies ORDER BY study_id")
            with_rows = "attention_evaluations" in names
            studies = [_study(connection, *row, with_rows=with_rows) for row in rows.fetchall()]
    return DatabaseFacts(damage, is_checked, tuple(versions), optuna_version, tuple(studies))


def log_bytes(path: Path) -> int:
    """Return the size of the write-ahead log beside the database; 0 if there is none."""
    log = path.with_name(f"{path.name}-wal")
    return log.stat().st_size if log.exists() else 0


def _opened(path: Path) -> sqlite3.Connection:
    """Open for reading only.

    Without a log and a lock nobody writes: SQLite is told so, and makes no log for this reading.
    """
    is_open = log_bytes(path) > 0 or lock_holder(path, locks()) is not None
    still = "" if is_open else "&immutable=1"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro{still}", uri=True, timeout=BUSY_SECONDS
    )
    connection.execute("PRAGMA query_only = 1").close()
    return connection


def _checked(connection: sqlite3.Connection) -> tuple[str | None, bool]:
    """Return the first damage, if any, and whether the check came to its end in time."""
    try:
        with _limited(connection, CHECK_SECONDS):
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if str(error) != "interrupted":
            raise
        return None, False
    return (None if found == "ok" else " ".join(found.split())), True


@contextmanager
def _limited(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _study(
    connection: sqlite3.Connection, study: int, name: str, *, with_rows: bool
) -> StudyFacts:
    uids = _column(
        connection,
        "SELECT json_extract(value_json, '$') FROM study_user_attributes "
        "WHERE study_id = ? AND key = ?",
        study,
        UID,
    )
    trials = "SELECT COUNT(*) FROM trials WHERE study_id = ? AND state = ?"
    rows = (
        "SELECT COUNT(*) FROM attention_evaluations "
        "WHERE study_uid = ? AND state IN ('proposed', 'running')"
    )
    return StudyFacts(
        name,
        bool(uids),
        _column(connection, trials, study, "COMPLETE")[0],
        _column(connection, trials, study, "RUNNING")[0],
        _column(connection, rows, uids[0])[0] if uids and with_rows else 0,
    )


def _column(connection: sqlite3.Connection, query: str, *values: object) -> list[Any]:
    return [value for (value,) in connection.execute(query, values)]
