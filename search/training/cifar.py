"""The 60,000 CIFAR-10 images on this machine: where they are, and whether they are whole."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from space import Refusal

from .arrays import ByteArray, KnownArray, array_path, read_known, write_whole
from .disk import clear_scratch, refused_disk
from .sources import obtain

Part: TypeAlias = Literal["train", "test"]
State: TypeAlias = Literal["ok", "missing", "corrupt"]

# Sums of the decoded pixels (NHWC) and labels, in the order of the original batches.
ARRAYS = (
    KnownArray(
        "train_images",
        (50_000, 32, 32, 3),
        "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    ),
    KnownArray(
        "train_labels",
        (50_000,),
        "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    ),
    KnownArray(
        "test_images",
        (10_000, 32, 32, 3),
        "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    ),
    KnownArray(
        "test_labels",
        (10_000,),
        "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    ),
)


@dataclass(frozen=True, slots=True)
class ArrayCheck:
    """What the data folder holds under the name of one array."""

    name: str
    path: Path
    bytes: int  # of the file; 0 where there is none
    state: State


def where(data_dir: Path | None = None) -> Path:
    """The folder of the arrays: `data_dir`, or this user's cache."""
    from platformdirs import user_cache_path

    return data_dir or user_cache_path("attention-search") / "cifar10"


def verify(data_dir: Path | None = None) -> tuple[ArrayCheck, ...]:
    """One check for each of the four arrays, every byte read."""
    return tuple(_check(where(data_dir), known) for known in ARRAYS)


def _check(folder: Path, known: KnownArray) -> ArrayCheck:
    path = array_path(folder, known)
    if not path.is_file():
        return ArrayCheck(known.name, path, 0, "missing")
    state: State = "corrupt" if read_known(folder, known) is None else "ok"
    return ArrayCheck(known.name, path, path.stat().st_size, state)


def fetch(data_dir: Path | None, say: Callable[[str], None]) -> Path:
    """Make the data folder whole, replacing what is missing or corrupt, and return it.

    Safe to run twice at once: the second waits, and finds the arrays there.

    Raises:
        Refusal: no source has the images, or the folder cannot take them.
    """
    from filelock import FileLock

    folder = where(data_dir)
    if not _damaged(folder):  # needs no lock, so a whole folder may be read-only
        say(f"CIFAR-10 is whole in {folder}")
        return folder
    with refused_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "fetch.lock"):
            if damaged := _damaged(folder):
                _repair(folder, damaged, say)
    say(f"CIFAR-10 is now in {folder}")
    return folder


def _damaged(folder: Path) -> tuple[str, ...]:
    return tuple(check.name for check in verify(folder) if check.state != "ok")


def _repair(folder: Path, damaged: tuple[str, ...], say: Callable[[str], None]) -> None:
    clear_scratch(folder)
    arrays = obtain(folder, ARRAYS, say)
    for known in ARRAYS:
        if known.name in damaged:
            write_whole(folder, known, arrays[known.name])


def read_part(data_dir: Path | None, part: Part) -> tuple[ByteArray, ByteArray]:
    """Images and labels in their original order; `data.open_test` alone may ask for "test".

    Raises:
        Refusal: a file is corrupt, or one is missing and cannot be fetched.
    """
    folder = where(data_dir)
    wanted = [known for known in ARRAYS if known.name.startswith(part)]
    if not all(array_path(folder, known).is_file() for known in wanted):
        fetch(folder, logging.getLogger(__name__).info)
    images, labels = (_read(folder, known) for known in wanted)
    return images, labels


def _read(folder: Path, known: KnownArray) -> ByteArray:
    array = read_known(folder, known)
    if array is None:
        raise Refusal(
            f"{array_path(folder, known)} must hold the original {known.name}, got other bytes: "
            f"replace it with `search data fetch --data-dir {folder}`"
        )
    return array
