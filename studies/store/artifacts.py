"""Files that Optuna keeps with a study's trials, in a folder beside the database."""

import io
import json
import mimetypes
import tempfile
from pathlib import Path
from uuid import uuid4

from optuna.artifacts import FileSystemArtifactStore, get_all_artifact_meta, upload_artifact
from optuna.trial import FrozenTrial

from .storage import OpenStudy
from .urls import database_of

# Where the dashboard looks for a trial's files beside the trial itself (its
# `artifact/_backend.py`, DASHBOARD_ARTIFACTS_ATTR_PREFIX): in the study's attributes.
BESIDE = "dashboard:artifacts:"


def artifact_folder(url: str) -> Path:
    """Return the folder of all artifacts of a database's studies."""
    return database_of(url).beside("artifacts")


def artifact_store(url: str) -> FileSystemArtifactStore:
    """Return Optuna's store in that folder, made if it is missing."""
    folder = artifact_folder(url)
    folder.mkdir(exist_ok=True)
    return FileSystemArtifactStore(str(folder))


def attach(study: OpenStudy, trial: int, name: str, content: bytes) -> None:
    """Attach a file to a trial, once.

    To a finished trial Optuna lets nobody add: its file is named among the study's attributes,
    where the dashboard looks, too.
    """
    found = _trial(study, trial)
    if found is None or name in attached(study, found):
        return
    if found.state.is_finished():
        _attach_beside(study, found, name, content)
    else:
        _attach(study, found, name, content)


def _trial(study: OpenStudy, number: int) -> FrozenTrial | None:
    """Return one trial: `get_trials` would read all that run, a tenth of a second with many."""
    storage = study.optuna._storage
    try:
        key = storage.get_trial_id_from_study_id_trial_number(study.optuna._study_id, number)
        return storage.get_trial(key)
    except KeyError:
        return None


def attached(study: OpenStudy, trial: FrozenTrial) -> set[str]:
    """Return the names of a trial's files."""
    own = get_all_artifact_meta(trial, storage=study.optuna._storage)
    named = study.optuna._storage.get_study_system_attrs(study.optuna._study_id)
    beside = (json.loads(one) for key, one in named.items() if key.startswith(_key(trial)))
    return {one.filename for one in own} | {one["filename"] for one in beside if one}


def _attach(study: OpenStudy, trial: FrozenTrial, name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        upload_artifact(
            artifact_store=artifact_store(study.url),
            file_path=str(path),
            study_or_trial=trial,
            storage=study.optuna._storage,
        )


def _attach_beside(study: OpenStudy, trial: FrozenTrial, name: str, content: bytes) -> None:
    number = str(uuid4())
    artifact_store(study.url).write(number, io.BytesIO(content))
    kind, encoding = mimetypes.guess_type(name)
    facts = {"artifact_id": number, "filename": name, "mimetype": kind, "encoding": encoding}
    study.optuna._storage.set_study_system_attr(
        study.optuna._study_id, _key(trial) + number, json.dumps(facts)
    )


def _key(trial: FrozenTrial) -> str:
    """Return the beginning of its keys among the study's attributes."""
    return f"{BESIDE}{trial._trial_id}:"
