"""A .safetensors file before anything reads it: what it says of its own size, within bounds.

The format is eight bytes with the length of a JSON head, the head, and the numbers; no program is
in it, unlike in pickled weights.
"""

import stat
from pathlib import Path

from space import Refusal

SUFFIX = ".safetensors"
MAX_HEAD = 1_000_000  # bytes of the head; that of ResNet-110 with attention everywhere has 200,000


def refuse_unsafe(path: Path, rule: str) -> None:
    """Refuse a file of another kind, or with a head that cannot be; the rule begins the line.

    Raises:
        Refusal: it is such a file, or cannot be read.
    """
    reason = _reason(path)
    if reason:
        raise Refusal(f"{rule}: {reason}")


def _reason(path: Path) -> str | None:
    if path.suffix != SUFFIX:
        return f"its name must end in {SUFFIX}; pickled weights could hold a program"
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # reading a pipe might wait for ever
            return "it must be a plain file"
        with path.open("rb") as file:
            begin = file.read(8)
    except OSError as error:
        return error.strerror or str(error)
    head = int.from_bytes(begin, "little")
    if len(begin) < 8 or not 2 <= head <= min(MAX_HEAD, found.st_size - 8):
        return f"its head must have 2 to {MAX_HEAD} bytes within the file, got {head}"
    return None
