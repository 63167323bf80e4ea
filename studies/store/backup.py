"""A copy of a study database that is whole, whatever a driver writes in the meantime."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from space import Refusal

from .database import BUSY_SECONDS, storage_problem
from .replacing import fold_logs, logs_of, nobody_runs

SCRATCH = ".attention-search-"  # an unfinished copy is in a folder that begins like this
STRAY = "the log of an older file, which would change the copy; --overwrite removes it"
TRAININGS = """
    SELECT study_name, COUNT(trial_id) FROM studies
    LEFT JOIN trials ON trials.study_id = studies.study_id AND trials.state = 'COMPLETE'
    GROUP BY studies.study_id ORDER BY studies.study_id
"""


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy: where it is, its size, and the complete trainings of each study in it."""

    path: Path
    bytes: int
    num_trainings: dict[str, int]


def default_name(path: Path, now: datetime) -> str:
    """Return the name of a copy, which says when it was made."""
    return f"{path.stem}.{now:%Y-%m-%d-%H%M%S}{path.suffix}"


def back_up(path: Path, target: Path, *, overwrite: bool = False) -> Backup:
    """Copy the database as it is now; the target is there whole, or not at all.

    Raises:
        Refusal: there is something already or somebody uses it, the folder takes no file, or the
            copy is damaged.
    """
    if target.exists() and target.samefile(path):
        raise Refusal(f"--to must be another file than the database, got {target}")
    if target.exists() and not (overwrite and target.is_file()):
        raise Refusal(f"--to must be a new file, got {target}; --overwrite replaces a file")
    logs = logs_of(target)
    if logs and not overwrite:
        raise Refusal(f"--to must be a new file, got {target} beside {logs[0]}, {STRAY}")
    with _refused(path, target.parent), nobody_runs(target):
        # A folder beside the target: what is in it can be moved there in one step.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=SCRATCH) as folder:
            copy = Path(folder) / "copy.db"
            trainings = _copy(path, copy)
            fold_logs(target)
            copy.replace(target)
        return Backup(target, target.stat().st_size, trainings)


def _copy(path: Path, copy: Path) -> dict[str, int]:
    """Copy in one step, which sees one state and lets a driver write on; check what came out."""
    with (
        closing(sqlite3.connect(_as_it_opens(path), uri=True)) as own,
        closing(sqlite3.connect(copy)) as made,
    ):
        own.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        own.backup(made)
        (found,) = made.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise Refusal(f"{path} is damaged and was not copied: {' '.join(found.split())}")
        trainings = dict(made.execute(TRAININGS).fetchall()) if _has_studies(made) else {}
    with copy.open("rb+") as file:
        os.fsync(file.fileno())
    return trainings


def _as_it_opens(path: Path) -> str:
    """Return the file's URI: without a log, in a folder that takes none, nobody writes to it."""
    is_still = not path.with_name(f"{path.name}-wal").exists()
    is_closed = not os.access(path.absolute().parent, os.W_OK)
    how = "mode=ro&immutable=1" if is_still and is_closed else "mode=rw"
    return f"{path.absolute().as_uri()}?{how}"


def _has_studies(connection: sqlite3.Connection) -> bool:
    query = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'studies'"
    return bool(connection.execute(query).fetchone()[0])


@contextmanager
def _refused(path: Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise Refusal(f"no copy of {path} in {folder}: {storage_problem(error)}") from error
    except OSError as error:
        raise Refusal(f"no copy of {path} in {folder}: {error.strerror}") from error
