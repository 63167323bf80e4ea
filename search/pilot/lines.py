"""The finished trainings of a pilot, kept as JSON lines beside the file it writes."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from space import Refusal

from .plan import Pace, Training

VERSION = 1
Settings = Mapping[str, object]
Key = tuple[int, int, str, int]


@dataclass(frozen=True, slots=True)
class Finished:
    """One finished training; accuracies from 0 to 1."""

    epochs: int
    train_images: int
    network: str
    index: int  # of its seed, from 0
    accuracy: float
    unaveraged: float | None
    correct: bytes  # one bit for each validation image
    seconds: float  # of training and validation
    delay: float  # the time it took over the time it was planned with

    @property
    def key(self) -> Key:
        """Return what tells it from the pilot's other trainings."""
        return self.epochs, self.train_images, self.network, self.index


def key_of(training: Training) -> Key:
    """Return the key under which a planned training will be finished."""
    protocol = training.protocol
    return protocol.epochs, protocol.train_images, training.network, training.index


def begin(path: Path, settings: Settings, pace: Pace) -> None:
    """Start the file of a new pilot with what its plan is made from."""
    head = {"version": VERSION, "settings": settings, **asdict(pace)}
    path.write_text(json.dumps(head) + "\n")


def read(path: Path, settings: Settings) -> tuple[Pace, tuple[Finished, ...]] | None:
    """Return the pace and the trainings of an earlier call; None without one.

    A last line that was cut short is dropped, from the file too.

    Raises:
        Refusal: the file is of another pilot, or cannot be read.
    """
    if not path.exists():
        return None
    whole, _, cut = path.read_text().rpartition("\n")
    if cut:
        path.write_text(whole + "\n" if whole else "")
    if not whole:
        return None
    try:
        head, *lines = (json.loads(line) for line in whole.splitlines())
        _refuse_other(path, head["settings"], settings)
        pace = Pace(head["images_per_second"], head["num_workers"], head["seconds"])
        return pace, tuple(_finished(one) for one in lines)
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, Refusal):
            raise
        raise Refusal(
            f"{path} holds no trainings of a pilot; move it, or name another --out"
        ) from (error)


def append(path: Path, finished: Finished) -> None:
    """Add one finished training."""
    data = {**asdict(finished), "correct": base64.b64encode(finished.correct).decode()}
    with path.open("a") as file:
        file.write(json.dumps(data) + "\n")


def _refuse_other(path: Path, stored: Settings, wanted: Settings) -> None:
    for name, value in wanted.items():
        if stored.get(name) != value:
            raise Refusal(
                f"{path} is of a pilot with {name.replace('_', '-')} {stored.get(name)}, "
                f"got {value}; move it, or name another --out"
            )


def _finished(data: dict[str, object]) -> Finished:
    return Finished(**{**data, "correct": base64.b64decode(str(data["correct"]))})  # type: ignore[arg-type] # written from the same fields
