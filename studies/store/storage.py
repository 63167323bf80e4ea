"""Open a study: Optuna's part, ours, and the lock of the one process that may write."""

import json
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import optuna
from filelock import FileLock, Timeout
from optuna.exceptions import ExperimentalWarning
from optuna.study import StudyDirection
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from space import Refusal, count_in_words

from .damage import WAY_OUT, typed, undamaged, whole
from .database import NoStudy, database_path, open_engine, open_storage, refuse_unusable
from .older import up_to_date
from .schema import create_tables
from .tables import SCHEMA_VERSION, StudyRow

DIRECTIONS = (StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE)
UID = "attention_study_uid"
SPACE = "space_digest"  # of the parameters and their choices
BUDGETS = ("max_macs", "max_params")
MAX_NAME = 100
Settings = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class OpenStudy:
    """A study that is open: Optuna's object, our engine, and the settings it was made with."""

    url: str
    name: str
    uid: str
    optuna: optuna.Study
    engine: Engine
    settings: Settings
    inode: int  # of the database file: a deleted one can still be written, and is lost


@undamaged("the study")
def create_or_open(url: str, name: str, settings: Settings) -> OpenStudy:
    """Return the named study, made with these settings if there is none.

    Raises:
        Refusal: a study of this name is of another space, protocol or objective.
    """
    refuse_unusable_name(name)
    storage = open_storage(url, must_exist=False)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=storage, study_name=name, directions=list(DIRECTIONS), load_if_exists=True
    )
    if tuple(study.directions) != DIRECTIONS:
        raise Refusal(f"study {name} has other objectives; choose another --study")
    if UID not in study.user_attrs:
        _refuse_foreign(study)
        study.set_user_attr(UID, uuid.uuid4().hex)
    create_tables(storage.engine)
    engine = open_engine(url)
    uid = _uid(study)
    stored = _stored_settings(engine, uid)
    if stored is None:
        stored = _store_settings(engine, uid, name, settings)
    refuse_other_settings(name, stored, settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study.set_metric_names(["accuracy", str(settings["cost"])])
    return OpenStudy(url, name, uid, study, engine, stored, database_path(url).stat().st_ino)


@undamaged("the study")
def open_existing(url: str, name: str) -> OpenStudy:
    """Return the named study.

    Raises:
        Refusal: no such database, or no such study in it; names the studies there are.
    """
    refuse_unusable_name(name)
    storage = open_storage(url, must_exist=True)
    names = optuna.get_all_study_names(storage)
    if name not in names:
        listed = ", ".join(names) or "none"
        raise NoStudy(f"no study {name} in {database_path(url)}; --study can be: {listed}")
    study = optuna.load_study(storage=storage, study_name=name)
    engine = open_engine(url)
    uid = _uid(study)
    settings = _stored_settings(engine, uid)
    if settings is None:
        raise NoStudy(f"study {name} was not made by this program; choose another --study")
    return OpenStudy(url, name, uid, study, engine, settings, database_path(url).stat().st_ino)


def refuse_replaced(study: OpenStudy) -> None:
    """Refuse to go on when the database was deleted or replaced under a running study."""
    path = database_path(study.url)
    if not path.exists() or path.stat().st_ino != study.inode:
        raise Refusal(f"{path} was deleted or replaced while the study ran; restore it, run again")


def existing_settings(url: str, name: str) -> Settings | None:
    """Return the settings of the named study, or None if there is none yet.

    Raises:
        Refusal: the database is another program's, or damaged.
    """
    refuse_unusable(url, must_exist=False)
    if not database_path(url).exists():
        return None
    try:
        study = open_existing(url, name)
    except NoStudy:
        return None
    study.engine.dispose()
    return study.settings


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
    path = database_path(url).resolve()  # one lock for a file and its links
    lock = FileLock(path.with_name(f"{path.name}.{name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Refusal(f"study {name} is already being run; stop that or name another") from error
    except OSError as error:
        raise Refusal(f"cannot lock {lock.lock_file}: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def refuse_other_settings(name: str, stored: Settings, wanted: Settings) -> None:
    """Refuse to go on with a study under other settings, naming the first that differs."""
    for key, value in wanted.items():
        if key == SPACE and stored.get(key) != value:
            raise Refusal(
                f"study {name} chooses among what another version of this program proposed, with "
                f"{SPACE} {stored.get(key)}, got {value}; name another --study, or use that one"
            )
        if stored.get(key) != value:
            option, (own, other) = key.replace("_", "-"), _both_in_words(key, stored, wanted)
            raise Refusal(
                f"study {name} has {option} {own}, got {other}; "
                "leave the option out to go on with it, or name another --study"
            )


def _both_in_words(key: str, stored: Settings, wanted: Settings) -> tuple[str, str]:
    """Return both values as people say them; budgets in full only where words do not differ."""
    values = stored.get(key), wanted[key]
    if key not in BUDGETS:
        return str(values[0]), str(values[1])
    own, other = (
        "no limit" if one is None else count_in_words(one) if isinstance(one, int) else str(one)
        for one in values
    )
    return (own, other) if own != other else (str(values[0]), str(values[1]))


def _refuse_foreign(study: optuna.Study) -> None:
    if study.get_trials(deepcopy=False):
        raise Refusal(f"study {study.study_name} was not made by this program; choose another")


def _uid(study: optuna.Study) -> str:
    """Return what our tables know the study by; nothing if it is not ours."""
    uid = study.user_attrs.get(UID, "")
    if not isinstance(uid, str):
        raise Refusal(f"the study's {UID} must be str, got {uid!r:.40}; {WAY_OUT}")
    return uid


def _stored_settings(engine: Engine, uid: str) -> Settings | None:
    with Session(engine) as session:
        row = session.get(StudyRow, uid)
        if row is None:
            return None
        typed(row)
        if row.schema_version > SCHEMA_VERSION:
            raise Refusal(f"study {row.name} was made by a newer version; update this program")
        return whole(up_to_date(json.loads(row.settings)))


def _store_settings(engine: Engine, uid: str, name: str, settings: Settings) -> Settings:
    text = json.dumps(settings, sort_keys=True)
    row = StudyRow(
        study_uid=uid,
        name=name,
        schema_version=SCHEMA_VERSION,
        settings=text,
        created_at=datetime.now(UTC),
    )
    with Session(engine) as session:
        session.add(row)
        session.commit()
    stored: Settings = json.loads(text)
    return stored
