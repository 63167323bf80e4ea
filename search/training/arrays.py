"""Arrays of known content in `.npy` files: written whole or not at all, trusted by their sum."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from .disk import SCRATCH

ByteArray: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class KnownArray:
    """A uint8 array whose content is known beforehand."""

    name: str
    shape: tuple[int, ...]
    sha256: str  # of the bytes in C order, without any header


def sha256(array: ByteArray) -> str:
    """Sum of the bytes of a C-ordered array, as 64 hexadecimal digits."""
    return hashlib.sha256(array.data).hexdigest()


def array_path(folder: Path, known: KnownArray) -> Path:
    """Where `folder` keeps the array."""
    return folder / f"{known.name}.npy"


def equals_known(array: ByteArray, known: KnownArray) -> bool:
    """Whether shape, type and every byte agree."""
    same_kind = array.shape == known.shape and array.dtype == np.uint8
    return same_kind and array.flags.c_contiguous and sha256(array) == known.sha256


def read_known(folder: Path, known: KnownArray) -> ByteArray | None:
    """The array, writable, or None where the file does not hold exactly this array."""
    with array_path(folder, known).open("rb") as file:
        try:
            npy.read_magic(file)
            shape, is_fortran, dtype = npy.read_array_header_1_0(file)
        except ValueError:
            return None
        if (shape, is_fortran, dtype) != (known.shape, False, np.dtype(np.uint8)):
            return None  # before reading: a damaged header may ask for any amount of memory
        flat = np.fromfile(file, np.uint8, count=int(np.prod(shape)))
    whole = flat.size == np.prod(shape) and sha256(flat) == known.sha256
    return flat.reshape(shape) if whole else None


def write_whole(folder: Path, known: KnownArray, array: ByteArray) -> None:
    """Store the array so that its name never shows a part of it, whatever stops the process."""
    scratch = folder / f"{SCRATCH}{os.getpid()}-{known.name}"
    try:
        with scratch.open("wb") as file:
            npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(array))
            file.write(array.data)  # np.save writes through C and loses the errno of a full disk
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(array_path(folder, known))
    finally:
        scratch.unlink(missing_ok=True)
