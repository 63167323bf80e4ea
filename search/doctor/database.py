"""The study database: can it be read, written and gone on with?"""

import os
import sqlite3
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from space import Refusal
from studies import database_of, database_path, storage_problem
from studies.store import tables
from studies.store.locks import lock_path, refuse_unusable_name

from .finding import Finding
from .locks import lock_holder, locks
from .machine import disk_finding
from .mounts import MOUNTS, mount_findings
from .server import server_findings
from .sqlite import DatabaseFacts, StudyFacts, database_facts, log_bytes

AREA = "database"
FREE_BYTES = 100e6  # a study of 1,000 trainings takes less
RESTORE = "restore a copy made by search backup, or name another file with --storage"
LONG_LOG_BYTES = 100e6  # SQLite writes a log back at 4 MB, unless a reader keeps it from that


def sqlite_findings(url: str) -> list[Finding]:
    """Return what there is to say of a database in a file."""
    path = database_path(url)
    found = [*place_findings(path)]
    if not path.exists():
        return [*found, Finding(AREA, "ok", f"none at {path} yet; search run makes one")]
    if not path.is_file():
        remedy = "name a file with --storage"
        return [*found, Finding(AREA, "problem", f"{path} is no file", remedy)]
    try:
        facts = database_facts(path)
    except sqlite3.Error as error:
        return [*found, unreadable(path, error)]
    return [
        *found,
        *file_findings(path, facts, url),
        *version_findings(path, facts, url),
        *(_told(one, path, url) for one in facts.studies),
    ]


# By what a URL begins with: how a database of this kind is examined.
KINDS: Mapping[str, Callable[[str], list[Finding]]] = {
    "sqlite": sqlite_findings,
    "postgresql": server_findings,
}


def database_findings(url: str) -> list[Finding]:
    """Return what there is to say of the database that a URL names."""
    return KINDS[_kind(url)](url)


def refuse_unknown(url: str) -> None:
    """Refuse a URL that no study can have, before anything is examined."""
    database_of(url)


def _kind(url: str) -> str:
    return url.partition(":")[0].partition("+")[0]


def place_findings(path: Path) -> list[Finding]:
    """Return whether the folder can hold a database: its disk, its file system, its permission."""
    folder = path.absolute().parent
    if not folder.is_dir():
        remedy = f"mkdir -p {folder}, or name another file with --storage"
        return [Finding(AREA, "problem", f"there is no folder {folder}", remedy)]
    found = [disk_finding(AREA, folder, FREE_BYTES)]
    if MOUNTS.exists():
        found += mount_findings(folder, MOUNTS.read_text())
    for one in (folder, path):
        if one.exists() and not os.access(one, os.W_OK):
            remedy = f"chmod u+w {one}, or copy the study elsewhere with search backup --to"
            found.append(Finding(AREA, "problem", f"{one} cannot be written by this user", remedy))
    return found


def unreadable(path: Path, error: sqlite3.Error) -> Finding:
    """Return why a database could not be read."""
    if "locked" in str(error):
        what, remedy = f"{path} is locked by another program", "end what holds it"
    else:
        what, _, remedy = storage_problem(error).partition("; ")
        what = f"{path}: {what}"
    return Finding(AREA, "problem", what, remedy or "restore a copy made by search backup")


def file_findings(path: Path, facts: DatabaseFacts, url: str) -> list[Finding]:
    """Return whether the file is whole and its log short."""
    found = []
    if facts.damage is not None:
        found.append(Finding(AREA, "problem", f"{path} is damaged: {facts.damage}", RESTORE))
    elif not facts.is_checked:
        what = f"{path} is too large to be checked in time"
        remedy = f"sqlite3 {path} 'PRAGMA quick_check' takes the time it needs"
        found.append(Finding(AREA, "warning", what, remedy))
    else:
        log = log_bytes(path)
        sizes = f"{path.stat().st_size / 1e6:,.1f} MB and a log of {log / 1e6:,.1f} MB"
        found.append(Finding(AREA, "ok", f"{path} is whole: {sizes}"))
        if log > LONG_LOG_BYTES:
            what = f"the write-ahead log of {path} has {log / 1e6:,.0f} MB"
            remedy = f"close dashboards and other readers; search status --storage {url} ends it"
            found.append(Finding(AREA, "warning", what, remedy))
    return found


def version_findings(path: Path, facts: DatabaseFacts, url: str) -> list[Finding]:
    """Return whether this program and this Optuna know the tables."""
    odd = [one for one in facts.versions if not isinstance(one, int)]  # SQLite keeps anything
    if odd:
        what = f"{path} is damaged: schema_version must be int, got {odd[0]!r:.40}"
        return [Finding(AREA, "problem", what, RESTORE)]
    found = []
    oldest, newest = min(facts.versions, default=None), max(facts.versions, default=None)
    if newest is not None and newest > tables.SCHEMA_VERSION:
        what = f"tables of version {newest}, this program knows {tables.SCHEMA_VERSION}"
        found.append(Finding(AREA, "problem", what, "update this program"))
    elif oldest is not None and oldest < tables.SCHEMA_VERSION:
        what = f"tables of version {oldest}, this program's are {tables.SCHEMA_VERSION}"
        kept = f"{path.name}.before-v{tables.SCHEMA_VERSION}"
        remedy = f"search status --storage {url} upgrades them and keeps {kept}"
        found.append(Finding(AREA, "warning", what, remedy))
    elif oldest is not None:
        found.append(Finding(AREA, "ok", f"tables of version {oldest}, as this program's"))
    known = optuna_versions()
    if facts.optuna_version is not None and facts.optuna_version != known[0]:
        what = f"Optuna's tables are {facts.optuna_version}, this Optuna's {known[0]}"
        remedy = "pip install --upgrade optuna"
        if facts.optuna_version in known:
            remedy = f"search backup, then optuna storage upgrade --storage {url}"
        found.append(Finding(AREA, "problem", what, remedy))
    return found


def optuna_versions() -> list[str]:
    """Return the versions of its tables that this Optuna knows, newest first."""
    from alembic.script import ScriptDirectory

    spec = find_spec("optuna")
    assert spec is not None, "it is a dependency"
    assert spec.origin is not None, "it is a package with a file"
    scripts = Path(spec.origin).parent / "storages" / "_rdb" / "alembic"
    return [one.revision for one in ScriptDirectory(str(scripts)).walk_revisions()]


def _told(study: StudyFacts, path: Path, url: str) -> Finding:
    if not isinstance(study.name, str):  # SQLite keeps anything
        what = f"{path} is damaged: study_name must be str, got {study.name!r:.40}"
        return Finding(AREA, "problem", what, RESTORE)
    return study_finding(study, _holder(study, url), url)


def _holder(study: StudyFacts, url: str) -> int | None:
    """Return who runs a study of ours; another program's may have a name that no file can have."""
    try:
        refuse_unusable_name(study.name)
    except Refusal:
        return None
    return lock_holder(lock_path(url, study.name), locks()) if study.is_ours else None


def study_finding(study: StudyFacts, holder: int | None, url: str) -> Finding:
    """Return how far a study is, and whether somebody runs it or has to go on with it."""
    what = f"study {study.name}: {study.num_complete} complete"
    if not study.is_ours:
        return Finding(AREA, "ok", f"{what}, not of this program")
    left = max(study.num_running, study.num_unfinished)
    if holder is not None:
        who = f"process {holder}" if holder > 0 else "a process of another container"
        return Finding(AREA, "ok", f"{what}, {left} unfinished, run by {who}")
    if left:
        what = f"{what}, {left} unfinished, and nobody runs it"
        remedy = f"search run --storage {url} --study '{study.name}' goes on with them"
        return Finding(AREA, "warning", what, remedy)
    return Finding(AREA, "ok", f"{what}, none unfinished, nobody runs it")
