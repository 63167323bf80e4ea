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
PRAGMAS = ("journal_mode=WAL", f"busy_timeout={BUSY_SECONDS * 1000}", "synchronous=NORMAL")


class NoStudy(Refusal):
    """There is no study of this name and this program in the database."""


def database_path(url: str) -> Path:
    """Return the SQLite file that the URL names.

    Raises:
        Refusal: the URL names no SQLite file.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
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
    elif path.is_dir() or not _is_sqlite(path):
        raise Refusal(f"{path} is no SQLite database; name another file with --storage")


def open_engine(url: str) -> Engine:
    """Return an engine whose connections wait for locks and write ahead."""
    engine = create_engine(url)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def open_storage(url: str, *, must_exist: bool) -> RDBStorage:
    """Return Optuna's storage with the same options, and our tables beside its own."""
    refuse_unusable(url, must_exist=must_exist)
    engine = open_engine(url)
    if must_exist and not inspect(engine).has_table(StudyRow.__tablename__):
        engine.dispose()
        raise NoStudy(f"{database_path(url)} holds no study of this program; check --storage")
    engine.dispose()
    try:
        storage = RDBStorage(url, engine_kwargs={"connect_args": {"timeout": BUSY_SECONDS}})
    except RuntimeError as error:
        raise Refusal(_optuna_differs(url, str(error))) from error
    event.listen(storage.engine, "connect", _set_pragmas)
    storage.engine.dispose()  # the constructor opened a connection without the pragmas
    return storage


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


def _optuna_differs(url: str, words: str) -> str:
    """Return what to do where Optuna's own tables are of another version of it."""
    shown = make_url(url).render_as_string(hide_password=True)
    if "storage upgrade" in words:
        return (
            f"{shown} has tables of an older Optuna; `search backup --storage {shown}` keeps "
            f"it as it is, then `optuna storage upgrade --storage {shown}` brings it up to date"
        )
    return f"{shown} has tables of a newer Optuna; `pip install --upgrade optuna` reads it"


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
