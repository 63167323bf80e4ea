"""Files from which unfinished trainings go on, in a folder beside the database."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from studies import Evaluation, OpenStudy, database_of
from studies.store.extras import Extra

from .executors.jobs import Checkpoint

ENDING = ".safetensors"
EVERY_SECONDS = 60.0


def checkpoint_folder(study: OpenStudy) -> Path:
    """Return the folder of a study's checkpoints; it is there while there are some."""
    return database_of(study.url).beside(f"{study.name}.checkpoints")


def checkpoint_of(study: OpenStudy, training: Evaluation | Extra) -> Checkpoint:
    """Return where a worker keeps the state of a training: of the study, or beside it."""
    kind = "extra" if isinstance(training, Extra) else "run"
    path = checkpoint_folder(study).absolute() / f"{kind}{training.id}{ENDING}"
    return Checkpoint(path, EVERY_SECONDS)


def drop_checkpoint(study: OpenStudy, training: Evaluation | Extra) -> None:
    """Remove the state of a training that has ended."""
    with suppress(OSError):  # of a disk that refuses; the next start removes it
        checkpoint_of(study, training).path.unlink(missing_ok=True)
        checkpoint_folder(study).rmdir()  # refused while there are others


def drop_old_checkpoints(study: OpenStudy, unfinished: Collection[Evaluation]) -> None:
    """Remove what trainings left that will not go on, and what was cut off in writing."""
    kept = {checkpoint_of(study, one).path.name for one in unfinished}
    with suppress(OSError):
        for path in checkpoint_folder(study).glob("*"):
            if path.name not in kept and path.name.removeprefix(".").startswith("run"):
                path.unlink()
        checkpoint_folder(study).rmdir()
