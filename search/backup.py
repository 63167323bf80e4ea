"""A copy of a study's database: where it goes, what it holds, how it comes back."""

import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from space import Refusal
from studies import database_of, database_path
from studies.store.backup import Backup, back_up, default_name
from studies.store.database import refuse_unusable


def made_backup(url: str, to: Path | None, *, overwrite: bool) -> Backup:
    """Copy the database that the URL names.

    Raises:
        Refusal: there is none, or the copy cannot be made.
    """
    if database_of(url).file is None:
        raise Refusal(f"--storage must be a SQLite file, got {url}; pg_dump copies a server's")
    path = database_path(url)
    # Of what Optuna alone made, too: its own upgrade is to be preceded by a copy.
    refuse_unusable(url, must_exist=not path.exists())
    name = default_name(path, datetime.now())
    target = path.with_name(name) if to is None else to / name if to.is_dir() else to
    if not target.absolute().parent.is_dir():
        raise Refusal(f"--to needs an existing folder, got {target.absolute().parent}")
    return back_up(path, target, overwrite=overwrite)


def backup_lines(made: Backup, url: str) -> Iterator[str]:
    """Yield what the copy holds, what lies beside the database and is not in it, and the way back.

    A log that an older state left beside the database would be applied to the copy: it must go.
    """
    path = database_path(url)
    held = ", ".join(f"{name} ({number} trainings)" for name, number in made.num_trainings.items())
    yield f"{made.path}: {made.bytes / 1e6:,.1f} MB, checked; studies: {held or 'none'}"
    folders = folders_beside(path)
    if folders:
        named = ", ".join(folder.name for folder in folders)
        yield f"not in it: {named} (pictures, weights and exports; copy these folders yourself)"
    logs = " ".join(shlex.quote(f"{path}{ending}") for ending in ("-wal", "-shm"))
    copy = f"cp {shlex.quote(str(made.path))} {shlex.quote(str(path))}"
    yield f"to restore: end every run, then rm -f {logs} && {copy}"


def folders_beside(path: Path) -> list[Path]:
    """Return the folders that commands made beside a database, for its studies."""
    endings = (".artifacts", ".front", ".confirm", ".checkpoints")
    beside = (one for one in path.absolute().parent.iterdir() if one.suffix in endings)
    return sorted(one for one in beside if one.name.startswith(f"{path.stem}.") and one.is_dir())
