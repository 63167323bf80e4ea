import errno
import hashlib
import socket
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest

from search.training import origin
from search.training.origin import SourceFailure


def stand_in_torchvision(
    monkeypatch: pytest.MonkeyPatch, build: Callable[[Path, bool, bool], object]
) -> None:
    datasets = ModuleType("torchvision.datasets")
    datasets.CIFAR10 = lambda root, train, download: build(root, train, download)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", datasets)


@pytest.fixture(autouse=True)
def archive(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the original host be a file with the right sum."""
    path = tmp_path_factory.mktemp("host") / "archive"
    path.write_bytes(b"all images")
    monkeypatch.setattr(origin, "URL", path.as_uri())
    monkeypatch.setattr(origin, "SHA256", hashlib.sha256(b"all images").hexdigest())
    return path


@pytest.mark.parametrize(
    "error", [URLError("unreachable"), TimeoutError("slow"), RuntimeError("corrupt")]
)
def test_a_silent_original_host_fails_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    seen: list[float | None] = []

    def fail(root: Path, train: bool, download: bool) -> object:
        assert train
        assert download
        assert (root / origin.ARCHIVE).read_bytes() == b"all images"
        seen.append(socket.getdefaulttimeout())
        raise error

    stand_in_torchvision(monkeypatch, fail)
    with pytest.raises(SourceFailure):
        origin.download_original(tmp_path)
    assert seen == [20.0]
    assert socket.getdefaulttimeout() is None
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_not_taken_for_a_silent_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(root: Path, train: bool, download: bool) -> object:
        raise OSError(errno.ENOSPC, f"no space left for {root}, {train}, {download}")

    stand_in_torchvision(monkeypatch, fail)
    with pytest.raises(OSError, match="no space left"):
        origin.download_original(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_batches_is_read_without_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    channels_first = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)

    def read(root: Path, train: bool, download: bool) -> object:
        assert (root, download) == (tmp_path, False)
        warnings.warn("dtype(): align should be passed as a boolean", stacklevel=1)
        print("100%", file=sys.stderr)  # noqa: T201 - as a progress bar does
        return SimpleNamespace(data=channels_first.transpose(0, 2, 3, 1), targets=[int(train)] * 4)

    stand_in_torchvision(monkeypatch, read)
    (tmp_path / origin.BATCHES).mkdir()
    arrays = origin.read_folder(tmp_path)
    assert arrays["train_images"].shape == (4, 32, 32, 3)
    assert arrays["train_images"].flags.c_contiguous
    assert (arrays["train_labels"].tolist(), arrays["test_labels"].tolist()) == ([1] * 4, [0] * 4)
    assert capsys.readouterr().err == ""


def test_a_folder_without_whole_batches_fails_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceFailure, match="not found in"):
        origin.read_folder(tmp_path)

    def fail(root: Path, train: bool, download: bool) -> object:
        raise RuntimeError(f"Dataset corrupted: {root}, {train}, {download}")

    stand_in_torchvision(monkeypatch, fail)
    (tmp_path / origin.BATCHES).mkdir()
    with pytest.raises(SourceFailure, match="Dataset corrupted"):
        origin.read_folder(tmp_path)
