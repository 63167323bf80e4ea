"""A folder that is there whole or not at all: `new_folder(out)`."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from space import Refusal

from .store.links import real_path

MANIFEST = "manifest.json"  # which lists the folder's other files
MAX_MANIFEST = 10_000_000  # bytes; 10,000 architectures have half of that


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` to write to, which takes its place at the end.

    An earlier export at `out` is replaced. Whatever fails leaves `out` as it was.

    Raises:
        Refusal: `out` holds something else.
    """
    refuse_other_content(out)
    target = real_path(out, "--out")
    half, old = (target.with_name(f".{target.name}.{os.getpid()}.{end}") for end in ("new", "old"))
    half.mkdir(parents=True)
    try:
        yield half
        if target.exists():
            target.rename(old)
        half.rename(target)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def refuse_other_content(out: Path) -> None:
    """Check a folder to write before anything is computed for it.

    Raises:
        Refusal: it is a file or a link that leads back to itself, or holds what no earlier
            export wrote, or wrote otherwise.
    """
    real_path(out, "--out")
    if out.exists() and not out.is_dir():
        raise Refusal(f"--out must be a folder, or a file that ends in .yaml, got the file {out}")
    present = sorted(out.iterdir()) if out.exists() else []
    written = _written(out / MANIFEST)
    foreign = [one.name for one in present if not _is_own(one, written)]
    if foreign:
        raise Refusal(
            f"--out must be new, empty or an earlier export as it was written, got "
            f"{out} with {foreign[0]}; name another folder"
        )


def file_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file, by name: what a manifest holds as `files`."""
    return {one.name: _digest(one) for one in sorted(folder.iterdir())}


def _is_own(path: Path, written: dict[str, str]) -> bool:
    if path.name == MANIFEST:
        return bool(written)
    return path.is_file() and written.get(path.name) == _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _written(manifest: Path) -> dict[str, str]:
    """Return the files that a manifest of ours lists, with their digests."""
    if not manifest.is_file() or manifest.stat().st_size > MAX_MANIFEST:
        return {}
    try:
        data = json.loads(manifest.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    files = data.get("files") if isinstance(data, dict) else None
    return files if isinstance(files, dict) else {}
