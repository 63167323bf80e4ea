"""What is behind the links of a path."""

import os
from pathlib import Path

from space import Refusal


def real_path(path: Path, option: str) -> Path:
    """Return the path with no links in it; nothing needs to be there.

    Raises:
        Refusal: a link leads back to itself, so there can be nothing.
    """
    real = Path(os.path.realpath(path))  # Path.resolve raises or not, by Python's version
    if any(map(os.path.islink, (real, *real.parents))):  # Path's own raises at a name too long
        raise Refusal(f"{option} must not lead through a link back to itself, got {path}")
    return real
