import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from search.training.arrays import KnownArray, array_path, read_known, sha256, write_whole

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
KNOWN = KnownArray("pixels", PIXELS.shape, sha256(PIXELS))


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def claim_a_terabyte(path: Path) -> None:
    header = path.read_bytes().replace(b"(5, 32, 32, 3), }        ", b"(500000000, 32, 32, 3), }")
    path.write_bytes(header)


def pickle_objects(path: Path) -> None:
    np.save(path, np.array([{"any": "object"}], dtype=object), allow_pickle=True)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def replace_by_text(path: Path) -> None:
    path.write_text("<html>no array</html>")


def test_a_written_array_is_a_plain_npy_file(tmp_path: Path) -> None:
    write_whole(tmp_path, KNOWN, PIXELS)
    assert (np.load(tmp_path / "pixels.npy") == PIXELS).all()
    assert [path.name for path in tmp_path.iterdir()] == ["pixels.npy"]


def test_a_read_array_is_equal_and_writable(tmp_path: Path) -> None:
    write_whole(tmp_path, KNOWN, PIXELS)
    found = read_known(tmp_path, KNOWN)
    assert found is not None
    assert (found == PIXELS).all()
    assert found.flags.writeable
    assert found.flags.c_contiguous


@pytest.mark.parametrize(
    "damage",
    [flip_last_byte, truncate, claim_a_terabyte, pickle_objects, empty, replace_by_text],
)
def test_a_damaged_file_is_no_array(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    write_whole(tmp_path, KNOWN, PIXELS)
    path = array_path(tmp_path, KNOWN)
    before = path.read_bytes()
    damage(path)
    assert path.read_bytes() != before
    assert read_known(tmp_path, KNOWN) is None


def test_a_write_cut_short_keeps_the_file_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole(tmp_path, KNOWN, PIXELS)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path, KNOWN, PIXELS + 1)
    assert [path.name for path in tmp_path.iterdir()] == ["pixels.npy"]
    assert (np.load(tmp_path / "pixels.npy") == PIXELS).all()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_keeps_its_errno(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda _, mode: opened(Path("/dev/full"), mode))
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path, KNOWN, PIXELS)
