"""The study database: its URL, the engine's options, and what its errors mean to a user."""

from contextlib import closing
from pathlib import Path
from sqlite3 import Connection, DatabaseError, OperationalError, connect
from typing import Any

from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import Engine, create_engine, event, inspect
from sqlalchemy.exc import SQLAlchemyError

from space import Refusal

from .locks import keep_locks
from .server import ENGINE_OPTIONS, refuse_without_driver, wait_for_restarts
from .tables import StudyRow
from .urls import Database, database_of

BUSY_SECONDS = 60
OPTUNA_TABLE = "version_info"  # which every database of Optuna's has
PRAGMAS = ("journal_mode=WAL", f"busy_timeout={BUSY_SECONDS * 1000}", "synchronous=NORMAL")


class NoStudy(Refusal):
    """There is no such study, or none at all, where one may still be made."""


def refuse_unusable(url: str, *, must_exist: bool) -> None:
    """Check the file before anything could create or harm it; a server's driver, if it is none.

    Raises:
        Refusal: it is missing, or no SQLite database, or cannot be created there.
    """
    found = database_of(url)
    path = found.file
    if path is None:
        refuse_without_driver()
    elif not path.exists():
        if must_exist:
            raise Refusal(f"no study database at {path}; `search run --storage {url}` makes one")
        if not path.absolute().parent.is_dir():
            raise Refusal(f"--storage needs an existing folder, got {path.absolute().parent}")
        return
    elif not path.is_file() or not _is_sqlite(path):
        raise Refusal(f"{path} is no SQLite database; name another file with --storage")
    _refuse_foreign(found, must_exist=must_exist)


def open_engine(url: str) -> Engine:
    """Return an engine whose connections wait: for a file's locks, or for a server's restart."""
    found = database_of(url)
    engine = create_engine(found.engine_url, **_options(found))
    _prepare(engine, found)
    return engine


def open_storage(url: str, *, must_exist: bool) -> RDBStorage:
    """Return Optuna's storage with the same options, and our tables beside its own."""
    refuse_unusable(url, must_exist=must_exist)
    found = database_of(url)
    try:
        storage = RDBStorage(found.engine_url, engine_kwargs=_options(found))
    except RuntimeError as error:
        raise Refusal(_optuna_differs(url, str(error))) from error
    _prepare(storage.engine, found)
    storage.engine.dispose()  # the constructor opened a connection that was not prepared
    return storage


def _refuse_foreign(found: Database, *, must_exist: bool) -> None:
    """Refuse another program's file, which a connection of ours would change."""
    engine = create_engine(found.engine_url, **_options(found))  # pragmas are written to the file
    try:
        tables = set(inspect(engine).get_table_names())
    finally:
        engine.dispose()
    is_foreign = tables and not {StudyRow.__tablename__, OPTUNA_TABLE} & tables
    problem = f"{found.label} holds no study of this program; check --storage"
    if is_foreign and found.file is not None:  # several programs may share a server's database
        raise Refusal(problem)
    if must_exist and StudyRow.__tablename__ not in tables:
        raise NoStudy(problem)


def storage_problem(error: BaseException) -> str:
    """Return one line on what went wrong in the database and what to do."""
    text = _deepest(error)
    for sign, meaning in _MEANINGS.items():
        if sign in text:
            return meaning
    return f"the database refused: {text.splitlines()[0]}"


PASSWORD = "set PGPASSWORD or write it to ~/.pgpass"
LOST = "the connection to the database broke within a step; the same command goes on"
STORAGE_ERRORS = (StorageInternalError, SQLAlchemyError)
_MEANINGS = {
    "disk is full": "no space left for the database; free some and run the same command again",
    "disk I/O error": "the disk refused a write; check its space and run the same command again",
    "readonly": "the database is read-only; check its permissions or name another with --storage",
    "locked": f"the database was locked for {BUSY_SECONDS} s; end what holds it and run again",
    "not a database": "the file is no SQLite database; name another file with --storage",
    "malformed": "the database is damaged; restore a copy or name another file with --storage",
    "unable to open": "the database cannot be opened; check its path and permissions",
    "no password supplied": f"the server wants a password; {PASSWORD}",
    "password authentication failed": f"the server refused the password; {PASSWORD}",
    "Connection refused": "no server answers there; check --storage and that PostgreSQL runs",
    "permission denied": "the server's user may not do that; name one who may with --storage",
    "terminating connection": LOST,
    "server closed the connection": LOST,
    "connection is lost": LOST,
    "consuming input failed": LOST,
}


def _optuna_differs(url: str, words: str) -> str:
    """Return what to do where Optuna's own tables are of another version of it."""
    if "storage upgrade" in words:
        return (
            f"{url} has tables of an older Optuna; `search backup --storage {url}` keeps "
            f"it as it is, then `optuna storage upgrade --storage {url}` brings it up to date"
        )
    return f"{url} has tables of a newer Optuna; `pip install --upgrade optuna` reads it"


def _deepest(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)


def _is_sqlite(path: Path) -> bool:
    """Ask SQLite: a file that this process opens and closes itself would lose all its locks.

    Source: How To Corrupt An SQLite Database File, sqlite.org/howtocorrupt.html, sec. 2.2.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(connect(uri, uri=True, timeout=0)) as connection:
            connection.execute("PRAGMA schema_version")
    except OperationalError:  # locked, say: what that means is for the one who needs more
        return True
    except DatabaseError:
        return False
    return True


def _options(found: Database) -> dict[str, Any]:
    return {"connect_args": {"timeout": BUSY_SECONDS}} if found.file else {**ENGINE_OPTIONS}


def _prepare(engine: Engine, found: Database) -> None:
    if found.file is not None:
        event.listen(engine, "connect", _set_pragmas)
    else:
        wait_for_restarts(engine, lambda: keep_locks(found.url))


def _set_pragmas(connection: Connection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
