"""The study database: its URL, the engine's options, and what its errors mean to a user."""

from pathlib import Path
from sqlite3 import Connection
from typing import Any

from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from space import Refusal

from .tables import StudyRow

BUSY_SECONDS = 60
OPTUNA_TABLE = "version_info"  # which every database of Optuna's has
PRAGMAS = ("journal_mode=WAL", f"busy_timeout={BUSY_SECONDS * 1000}", "synchronous=NORMAL")


class NoStudy(Refusal):
    """There is no such study, or none at all, where one may still be made."""


def database_path(url: str) -> Path:
    """Return the SQLite file that the URL names.

    Raises:
        Refusal: the URL names no SQLite file.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # the latter of a port that is no number
        raise Refusal(f"--storage must be a URL such as sqlite:///study.db, got {url}") from error
    plain = parsed.drivername in ("sqlite", "sqlite+pysqlite") and not parsed.query
    if not plain or parsed.database in (None, "", ":memory:"):
        raise Refusal(f"--storage must be sqlite:///FILE, got {url}")
    return Path(parsed.database)


def refuse_unusable(url: str, *, must_exist: bool) -> None:
    """Check the file before anything could create or harm it.

    Raises:
        Refusal: it is missing, or no SQLite database, or cannot be created there.
    """
    path = database_path(url)
    if not path.exists():
        if must_exist:
            raise Refusal(f"no study database at {path}; `search run --storage {url}` makes one")
        if not path.absolute().parent.is_dir():
            raise Refusal(f"--storage needs an existing folder, got {path.absolute().parent}")
    elif not path.is_file() or not _is_sqlite(path):
        raise Refusal(f"{path} is no SQLite database; name another file with --storage")


def open_engine(url: str) -> Engine:
    """Return an engine whose connections wait for locks and write ahead."""
    engine = create_engine(url)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def open_storage(url: str, *, must_exist: bool) -> RDBStorage:
    """Return Optuna's storage with the same options, and our tables beside its own."""
    refuse_unusable(url, must_exist=must_exist)
    _refuse_foreign(url, must_exist=must_exist)
    storage = RDBStorage(url, engine_kwargs={"connect_args": {"timeout": BUSY_SECONDS}})
    event.listen(storage.engine, "connect", _set_pragmas)
    storage.engine.dispose()  # the constructor opened a connection without the pragmas
    return storage


def _refuse_foreign(url: str, *, must_exist: bool) -> None:
    """Refuse another program's database, which a connection of ours would change."""
    if not database_path(url).exists():
        return
    engine = create_engine(url)  # without the pragmas, that are written to the file
    try:
        found = set(inspect(engine).get_table_names())
    finally:
        engine.dispose()
    is_foreign = found and not {StudyRow.__tablename__, OPTUNA_TABLE} & found
    problem = f"{database_path(url)} holds no study of this program; check --storage"
    if is_foreign:
        raise Refusal(problem)
    if must_exist and StudyRow.__tablename__ not in found:
        raise NoStudy(problem)


def storage_problem(error: BaseException) -> str:
    """Return one line on what went wrong in the database and what to do."""
    text = _deepest(error)
    for sign, meaning in _MEANINGS.items():
        if sign in text:
            return meaning
    return f"the database refused: {text.splitlines()[0]}"


STORAGE_ERRORS = (StorageInternalError, SQLAlchemyError)
_MEANINGS = {
    "disk is full": "no space left for the database; free some and run the same command again",
    "disk I/O error": "the disk refused a write; check its space and run the same command again",
    "readonly": "the database is read-only; check its permissions or name another with --storage",
    "locked": f"the database was locked for {BUSY_SECONDS} s; end what holds it and run again",
    "not a database": "the file is no SQLite database; name another file with --storage",
    "malformed": "the database is damaged; restore a copy or name another file with --storage",
    "unable to open": "the database cannot be opened; check its path and permissions",
}


def _deepest(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(16)
    return head in (b"", b"SQLite format 3\0")


def _set_pragmas(connection: Connection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
