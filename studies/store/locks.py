"""The lock of the one process that may write a study; it is freed when that ends in any way."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from space import Refusal

from .links import real_path
from .server import CONNECT_ARGS, refuse_without_driver
from .urls import Database, database_of, database_path

MAX_NAME = 100
MAKING_SECONDS = 60
TAKE_SECONDS = 2  # a killed driver's session ends a moment after it
RETAKE_SECONDS = 30  # the server may take so long to see that our own old session is gone
NOT_AVAILABLE = "55P03"  # PostgreSQL's code of a lock that was waited for in vain


def refuse_unusable_name(name: str) -> None:
    """Refuse a study's name that no file could be named after."""
    if not name or "/" in name or not name.isprintable() or len(name) > MAX_NAME:
        raise Refusal(
            f"--study must be a name of 1 to {MAX_NAME} printable characters without a slash, "
            f"since files are named after it, got {name!r}"
        )


@contextmanager
def only_driver(url: str, name: str) -> Iterator[None]:
    """Hold the study's lock, which the system frees when the process ends in any way.

    Raises:
        Refusal: another process holds it, or the name cannot be part of a file's.
    """
    refuse_unusable_name(name)
    found = database_of(url)
    with _server_lock(found, name) if found.file is None else _file_lock(found, name):
        yield


def lock_path(url: str, name: str) -> Path:
    """Return the file whose lock the driver of a study in a file holds."""
    path = real_path(database_path(url), "--storage")  # one lock for a file and its links
    return path.with_name(f"{path.name}.{name}.lock")


@contextmanager
def one_maker(url: str) -> Iterator[None]:
    """Let one process at a time make tables: two at once would both try, and one would fail.

    Raises:
        Refusal: another process has been at it for a minute.
    """
    found = database_of(url)
    lock = _making_lock(found)
    try:
        yield
    finally:
        lock.release()


def _making_lock(found: Database) -> "FileLock | _ServerLock":
    if found.file is None:
        session = _ServerLock(found, "")
        session.take(MAKING_SECONDS)
        return session
    own = real_path(found.file, "--storage")
    lock = FileLock(own.with_name(f"{own.name}.lock"), timeout=MAKING_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise Refusal(f"{found.file} has been made for {MAKING_SECONDS} s; run again") from error
    return lock


def keep_locks(url: str) -> None:
    """Make sure that this process still holds what it has locked in the database.

    Raises:
        Refusal: the server restarted, and another process was quicker.
    """
    for (where, _), lock in _HELD.items():
        if where == url:
            lock.keep()


@contextmanager
def _file_lock(found: Database, name: str) -> Iterator[None]:
    lock = FileLock(lock_path(found.url, name))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise _held(name) from error
    except OSError as error:
        raise Refusal(f"cannot lock {lock.lock_file}: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _server_lock(found: Database, name: str) -> Iterator[None]:
    refuse_without_driver()
    lock = _ServerLock(found, name)
    lock.take(TAKE_SECONDS)
    _HELD[found.url, name] = lock
    try:
        yield
    finally:
        del _HELD[found.url, name]
        lock.release()


def key_of(name: str) -> int:
    """Return the number that stands for a study: other programs hardly ever lock the same."""
    digest = hashlib.sha256(f"attention-search/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


class _ServerLock:
    """An advisory lock, held by a session of its own: the server frees it when that ends."""

    def __init__(self, found: Database, name: str) -> None:
        self._name = name
        self._key = key_of(name)
        self._engine = create_engine(
            found.engine_url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",  # an open transaction would be ended for its idleness
            connect_args=CONNECT_ARGS,
        )
        self._session: Connection | None = None

    def take(self, seconds: int) -> None:
        """Lock, waiting so long for another session's end.

        Raises:
            Refusal: another process holds it.
        """
        session = self._engine.connect()
        try:
            session.execute(text(f"SET lock_timeout = '{seconds}s'"))
            session.execute(text("SELECT pg_advisory_lock(:key)"), {"key": self._key})
        except DBAPIError as error:
            session.close()
            if getattr(error.orig, "sqlstate", None) == NOT_AVAILABLE:
                raise _held(self._name) from error
            raise
        self._session = session

    def keep(self) -> None:
        """Lock again if the session has ended."""
        if self._session is not None:
            try:
                self._session.execute(text("SELECT 1"))
            except DBAPIError:
                self._session.close()
                self._session = None
        if self._session is None:
            self.take(RETAKE_SECONDS)

    def release(self) -> None:
        """Unlock; a session that has ended has done so."""
        if self._session is not None:
            with suppress(DBAPIError):
                self._session.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
            self._session.close()


_HELD: dict[tuple[str, str], _ServerLock] = {}  # by URL and study: what this process has locked


def _held(name: str) -> Refusal:
    return Refusal(f"study {name} is already being run; stop that or name another")
