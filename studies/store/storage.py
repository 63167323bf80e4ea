"""Open a study: Optuna's part, ours, and the settings it was made with."""

import json
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.study import StudyDirection
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from space import Refusal, count_in_words

from .damage import WAY_OUT, refuse_other_types, undamaged
from .database import STORAGE_ERRORS, NoStudy, open_engine, open_storage, refuse_unusable
from .locks import keep_locks, one_maker, only_driver, refuse_unusable_name
from .older import up_to_date
from .schema import create_tables
from .tables import SCHEMA_VERSION, StudyRow
from .upgrade import upgrade
from .urls import Database, database_of

DIRECTIONS = (StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE)
UID = "attention_study_uid"
SPACE = "space_digest"  # of the parameters and their choices
BUDGETS = ("max_macs", "max_params")
# What reading a study relies on; the rest is checked where a training is configured by it.
KINDS = {
    "backbone": str,
    "dataset": str,
    "cost": str,
    "sampler": str,
    "train_images": int,
    "epochs": int,
    "protocol_digest": str,
}
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
    uid = study.user_attrs[UID]
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
    uid = study.user_attrs.get(UID, "")
    settings = _stored_settings(engine, uid)
    if settings is None:
        raise NoStudy(f"study {name} was not made by this program; choose another --study")
    return OpenStudy(url, name, uid, study, engine, settings, _inode(database_of(url)))


def refuse_replaced(study: OpenStudy) -> None:
    """Refuse to go on when the database was deleted or replaced under a running study."""
    found = database_of(study.url)
    keep_locks(study.url)
    if _inode(found) != study.inode or (found.file is None and _uid(study) != study.uid):
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


def _inode(found: Database) -> int | None:
    """Return what tells the file from another of its name; None of a server, or without one."""
    if found.file is None or not found.file.exists():
        return None
    return found.file.stat().st_ino


def _uid(study: OpenStudy) -> str | None:
    """Return what the study of that number is now; None if there is none any more."""
    try:
        return study.optuna.user_attrs.get(UID)
    except KeyError:
        return None


def _stored_settings(engine: Engine, uid: str) -> Settings | None:
    with Session(engine) as session:
        row = session.get(StudyRow, uid)
        if row is None:
            return None
        refuse_other_types(row, StudyRow)
        return _whole(up_to_date(json.loads(row.settings)))


def _whole(settings: Settings) -> Settings:
    """Return the settings if they hold what every study's do, with values of their types."""
    for key, kind in KINDS.items():
        if not isinstance(settings.get(key), kind):
            raise Refusal(
                f"the study's {key} must be {kind.__name__}, got {settings.get(key)!r:.40}; "
                f"{WAY_OUT}"
            )
    return settings


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
