"""A folder that is made for a result before hours are spent on it, and goes if it stays empty."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from space import Refusal


@contextmanager
def folder_for(out: Path) -> Iterator[None]:
    """Make the folder; what of it and above it was made and stays empty is removed.

    Raises:
        Refusal: it is a file, or the disk refuses.
    """
    made = [one for one in (out, *out.parents) if not one.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(
            f"--out must be a folder that can be made, got {out}: {error.strerror}"
        ) from error
    if not os.access(out, os.W_OK):
        raise Refusal(f"--out must be a folder that can be written, got {out}")
    try:
        yield
    finally:
        for one in made:
            with suppress(OSError):  # it holds something
                one.rmdir()
