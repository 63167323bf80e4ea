"""Files that Optuna keeps with a study's trials, in a folder beside the database."""

import tempfile
from pathlib import Path

from optuna.artifacts import FileSystemArtifactStore, get_all_artifact_meta, upload_artifact
from optuna.trial import TrialState

from .storage import OpenStudy
from .urls import database_of


def artifact_folder(url: str) -> Path:
    """Return the folder of all artifacts of a database's studies."""
    return database_of(url).beside("artifacts")


def artifact_store(url: str) -> FileSystemArtifactStore:
    """Return Optuna's store in that folder, made if it is missing."""
    folder = artifact_folder(url)
    folder.mkdir(exist_ok=True)
    return FileSystemArtifactStore(str(folder))


def attach(study: OpenStudy, trial: int, name: str, content: bytes) -> None:
    """Attach a file to a trial that runs, once: to a finished one Optuna lets nobody add."""
    running = study.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    found = next((one for one in running if one.number == trial), None)
    if found is None:
        return
    storage = study.optuna._storage
    if name in {one.filename for one in get_all_artifact_meta(found, storage=storage)}:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        upload_artifact(
            artifact_store=artifact_store(study.url),
            file_path=str(path),
            study_or_trial=found,
            storage=storage,
        )
