"""What a worker keeps of a network that may be on the front: weights, a picture of its gates."""

from contextlib import suppress
from pathlib import Path

from torch import nn

from search.executors.jobs import JobFailedError, Keep
from space import Architecture, Refusal
from studies.pictures.gates import overview_picture

from .looks import looked
from .loop import Images
from .subject import Subject
from .weights import save_weights

PICTURE_IMAGES = 4


def keep(wanted: Keep, model: nn.Module, architecture: Architecture, images: Images) -> None:
    """Write the files; what they are kept for may do without where they are not required.

    Raises:
        JobFailedError: the disk refuses a file that is required.
    """
    try:
        save_weights(model, architecture, wanted.weights)
    except (Refusal, OSError) as error:
        if wanted.required:
            raise JobFailedError(str(error)) from error
    if wanted.gates is not None and not architecture.is_plain:
        with suppress(Exception):  # whatever it is: a picture is never worth a training
            _write_gates(Subject(model, architecture, images), wanted.gates)


def _write_gates(subject: Subject, path: Path) -> None:
    half = path.with_name(f".{path.name}.part")
    half.write_bytes(overview_picture(looked(subject, PICTURE_IMAGES)))
    half.replace(path)
