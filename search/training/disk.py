"""The disk below the data folder: what a fetch may leave there, what a full one is told."""

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from space import Refusal

SCRATCH = ".attention-search-"  # every unfinished file or folder of a fetch begins like this
NEEDED_MB = (
    350  # the original archive 170 and unpacked 178; the arrays need 184 once these are gone
)

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


def clear_scratch(folder: Path) -> None:
    """Remove what a killed fetch left. The caller holds the lock, so nobody is using it."""
    for left in folder.glob(f"{SCRATCH}*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


@contextlib.contextmanager
def refused_disk(folder: Path) -> Iterator[None]:
    """Turn a full or read-only disk into a refusal that names `folder`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK:
            raise Refusal(
                f"the data folder needs {NEEDED_MB} MB, got no space left in {folder}: "
                f"free some, or name another folder with --data-dir"
            ) from error
        if error.errno in NOT_WRITABLE:
            raise Refusal(
                f"the data folder must be writable, got {folder} ({error.strerror}): "
                f"name another with --data-dir"
            ) from error
        raise
