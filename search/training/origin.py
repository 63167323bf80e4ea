"""CIFAR-10 as its authors publish it, read by torchvision: from a folder, or downloaded."""

import contextlib
import hashlib
import http.client
import io
import socket
import tempfile
import time
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np

from .arrays import ByteArray
from .disk import FULL_DISK, SCRATCH

Arrays: TypeAlias = dict[str, ByteArray]  # train_images, train_labels, test_images, test_labels

BATCHES = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"  # of the archive
ARCHIVE_BYTES = 170_498_071
TIMEOUT_SECONDS = 20.0  # for the host to answer, not for the whole download
DOWNLOAD_SECONDS = 3600.0  # for all of it: a host may send a byte at a time
BLOCK_BYTES = 1 << 20


class SourceFailure(Exception):
    """This source cannot give the images now; the text says why in a few words."""


def read_folder(folder: Path) -> Arrays:
    """Arrays from `cifar-10-batches-py` inside `folder`.

    Raises:
        SourceFailure: it is not there, or torchvision's own sums do not agree.
    """
    if not (folder / BATCHES).is_dir():
        raise SourceFailure(f"not found in {folder}")
    try:
        return _batches(folder, download=False)
    except RuntimeError as error:
        raise SourceFailure(str(error)) from error


def download_original(folder: Path) -> Arrays:
    """Arrays from the original host, by way of a scratch folder below `folder`.

    Raises:
        SourceFailure: the host does not answer in time, or sends something else.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=SCRATCH) as scratch, bounded_sockets():
        try:
            _fetch(Path(scratch) / ARCHIVE)
            return _batches(Path(scratch), download=True)  # unpacks what is there, fetches nothing
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in FULL_DISK:
                raise
            raise SourceFailure(str(error)) from error


def _fetch(path: Path) -> None:
    """Write the archive, byte for byte the one that was tried, before anything unpacks it."""
    found, end = hashlib.sha256(), time.monotonic() + DOWNLOAD_SECONDS
    with urllib.request.urlopen(URL) as answer, path.open("wb") as file:
        while block := answer.read1(BLOCK_BYTES):
            found.update(block)
            file.write(block)
            if file.tell() > ARCHIVE_BYTES:
                raise SourceFailure(f"it sends more than the archive's {ARCHIVE_BYTES} bytes")
            if time.monotonic() > end:
                raise SourceFailure(f"no whole archive after {DOWNLOAD_SECONDS:.0f} s")
    if found.hexdigest() != SHA256:
        raise SourceFailure(
            f"it sent another archive, whose SHA-256 begins {found.hexdigest():.16}"
        )


@contextlib.contextmanager
def bounded_sockets() -> Iterator[None]:
    """Let no new socket wait longer than `TIMEOUT_SECONDS`; torchvision itself sets no limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _batches(root: Path, *, download: bool) -> Arrays:
    from torchvision.datasets import CIFAR10

    arrays: Arrays = {}
    # The progress bar goes to stderr. numpy 2.4.0 to 2.4.4 warn of these pickles' `align=0`.
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"dtype\(\): align should be passed")
        for part in ("train", "test"):
            data = CIFAR10(root, train=part == "train", download=download)
            arrays[f"{part}_images"] = np.ascontiguousarray(data.data)
            arrays[f"{part}_labels"] = np.array(data.targets, dtype=np.uint8)
    return arrays
