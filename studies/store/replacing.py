"""A database file that is about to be replaced: nobody uses it, and no log of it stays behind.

SQLite applies a log that lies beside a file to whatever file has that name.
"""

import glob
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from space import Refusal

from .links import real_path

LOGS = ("-wal", "-shm", "-journal")


@contextmanager
def nobody_runs(path: Path) -> Iterator[None]:
    """Hold the lock of every study that was ever run in the file, and that of its making.

    Raises:
        Refusal: another process holds one.
    """
    own = real_path(path, "--to")  # as a driver names its lock
    name = glob.escape(own.name)
    locks = [*own.parent.glob(f"{name}.lock"), *own.parent.glob(f"{name}.*.lock")]
    with ExitStack() as held:
        for lock in sorted(locks):
            try:
                held.enter_context(FileLock(lock, timeout=0))
            except Timeout as error:
                raise Refusal(
                    f"--to must be a file whose studies nobody runs, got {path}, where "
                    f"{lock.name} is held; stop that run or name another file"
                ) from error
        yield


def logs_of(path: Path) -> list[Path]:
    """Return the logs that lie beside the file, or beside where it was."""
    beside = (path.with_name(f"{path.name}{ending}") for ending in LOGS)
    return [one for one in beside if one.exists()]


def fold_logs(path: Path) -> None:
    """Write the logs back into the file and remove them: a crash after this leaves it whole.

    Raises:
        Refusal: something has the file open, or it cannot be written.
    """
    if path.exists() and logs_of(path):
        try:
            _fold(path)
        except sqlite3.OperationalError as error:
            raise Refusal(
                f"--to must be a file that nothing uses, got {path} with a log that cannot be "
                f"written back ({error}); end what has it open or name another file"
            ) from error
        except sqlite3.DatabaseError:
            pass  # it is no database, or too damaged to be one: there is nothing to keep whole
    for log in logs_of(path):
        log.unlink(missing_ok=True)


def _fold(path: Path) -> None:
    address = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, timeout=0)) as old:
        old.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # rolls a journal back
        # Leaving the mode needs the file for itself alone; it writes the log back and removes it.
        old.execute("PRAGMA journal_mode = DELETE").fetchone()
