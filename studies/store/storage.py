"""Open a study: Optuna's part, ours, and the settings it was made with."""

import json
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.study import StudyDirection
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from space import Refusal

from .damage import WAY_OUT, refuse_other_types, undamaged, whole
from .database import STORAGE_ERRORS, NoStudy, open_engine, open_storage, refuse_unusable
from .locks import keep_locks, one_maker, only_driver, refuse_unusable_name
from .older import up_to_date
from .schema import create_tables
from .settings import Settings, refuse_other_settings
from .tables import SCHEMA_VERSION, StudyRow
from .upgrade import upgrade
from .urls import Database, database_of

DIRECTIONS = (StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE)
UID = "attention_study_uid"


@dataclass(frozen=True, slots=True)
class OpenStudy:
    """A study that is open: Optuna's object, our engine, and the settings it was made with."""

    url: str
    name: str
    uid: str
    optuna: optuna.Study
    engine: Engine
    settings: Settings
    # Of the database file: a deleted one can still be written, and is lost. None of a server.
    inode: int | None


@undamaged("the study")
def create_or_open(url: str, name: str, settings: Settings) -> OpenStudy:
    """Return the named study, made with these settings if there is none.

    A caller that shares the database holds the study's lock.

    Raises:
        Refusal: a study of this name is of another space, protocol or objective.
    """
    refuse_unusable_name(name)
    refuse_unusable(url, must_exist=False)
    with one_maker(url):
        upgrade(url, only_driver, held=name)
        storage = open_storage(url, must_exist=False)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            storage=storage, study_name=name, directions=list(DIRECTIONS), load_if_exists=True
        )
        create_tables(storage.engine)
    if tuple(study.directions) != DIRECTIONS:
        raise Refusal(f"study {name} has other objectives; choose another --study")
    if UID not in study.user_attrs:
        _refuse_foreign(study)
        study.set_user_attr(UID, uuid.uuid4().hex)
    engine = open_engine(url)
    uid = _uid(study)
    stored = _stored_settings(engine, uid)
    if stored is None:
        stored = _store_settings(engine, uid, name, settings)
    refuse_other_settings(name, stored, settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study.set_metric_names(["accuracy", str(settings["cost"])])
    return OpenStudy(url, name, uid, study, engine, stored, _inode(database_of(url)))


@undamaged("the study")
def open_existing(url: str, name: str) -> OpenStudy:
    """Return the named study.

    Raises:
        Refusal: no such database, or no such study in it; names the studies there are.
    """
    refuse_unusable_name(name)
    refuse_unusable(url, must_exist=True)
    upgrade(url, only_driver)
    storage = open_storage(url, must_exist=True)
    names = optuna.get_all_study_names(storage)
    if name not in names:
        listed = ", ".join(names) or "none"
        raise NoStudy(f"no study {name} in {database_of(url).label}; --study can be: {listed}")
    study = optuna.load_study(storage=storage, study_name=name)
    engine = open_engine(url)
    uid = _uid(study)
    settings = _stored_settings(engine, uid)
    if settings is None:
        raise NoStudy(f"study {name} was not made by this program; choose another --study")
    return OpenStudy(url, name, uid, study, engine, settings, _inode(database_of(url)))


def refuse_replaced(study: OpenStudy) -> None:
    """Refuse to go on when the database was deleted or replaced under a running study."""
    found = database_of(study.url)
    keep_locks(study.url)
    if _inode(found) != study.inode or (found.file is None and _uid_now(study) != study.uid):
        raise Refusal(
            f"{found.label} was deleted or replaced while the study ran; restore it, run again"
        )


@contextmanager
def refusing_if_deleted(study: OpenStudy) -> Iterator[None]:
    """Turn what Optuna says of a study that was deleted under a running one into a refusal."""
    try:
        yield
    except (KeyError, *STORAGE_ERRORS) as error:
        if _is_there(study):
            raise
        raise Refusal(
            f"study {study.name} was deleted while it ran; the same command makes a new one"
        ) from error


def _is_there(study: OpenStudy) -> bool:
    """Say whether Optuna still has this very study; one made later may have its number."""
    try:
        attributes = study.optuna._storage.get_study_user_attrs(study.optuna._study_id)
    except KeyError:
        return False
    except STORAGE_ERRORS:  # another trouble, and that is what to tell of
        return True
    return bool(attributes.get(UID) == study.uid)


def existing_settings(url: str, name: str) -> Settings | None:
    """Return the settings of the named study, or None if there is none yet.

    Raises:
        Refusal: the database is another program's, or damaged.
    """
    refuse_unusable(url, must_exist=False)
    file = database_of(url).file
    if file is not None and not file.exists():
        return None
    try:
        study = open_existing(url, name)
    except NoStudy:
        return None
    study.engine.dispose()
    return study.settings


def _refuse_foreign(study: optuna.Study) -> None:
    if study.get_trials(deepcopy=False):
        raise Refusal(f"study {study.study_name} was not made by this program; choose another")


def _inode(found: Database) -> int | None:
    """Return what tells the file from another of its name; None of a server, or without one."""
    if found.file is None or not found.file.exists():
        return None
    return found.file.stat().st_ino


def _uid_now(study: OpenStudy) -> str | None:
    """Return what the study of that number is now; None if there is none any more."""
    try:
        return study.optuna.user_attrs.get(UID)
    except KeyError:
        return None


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
        refuse_other_types(row, StudyRow)
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
