"""CIFAR-10 as its authors publish it, read by torchvision: from a folder, or downloaded."""

import contextlib
import http.client
import io
import socket
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np

from .arrays import ByteArray
from .disk import FULL_DISK, SCRATCH

Arrays: TypeAlias = dict[str, ByteArray]  # train_images, train_labels, test_images, test_labels

BATCHES = "cifar-10-batches-py"
TIMEOUT_SECONDS = 20.0  # for the host to answer, not for the whole download


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
            return _batches(Path(scratch), download=True)
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in FULL_DISK:
                raise
            raise SourceFailure(str(error)) from error


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
