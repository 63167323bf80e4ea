"""kill -9 of a driver whose worker really trains: one epoch at most is trained twice."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from search.checkpoint_files import checkpoint_folder
from studies import Epoch, Evaluation, OpenStudy, epochs, evaluations, open_existing
from tests.search.watching import EPOCHS, PATIENCE, counted, until_stored

SCRIPT = Path(__file__).parent / "real_process.py"
NUM_EPOCHS, TRIALS = 5, 2
SETTINGS = ["--dataset", "cifar10-sample", "--backbone", "resnet8", "--epochs", str(NUM_EPOCHS)]
WORDS = ["run", *SETTINGS, "--trials", str(TRIALS), "--no-references", "--train-images", "1000"]


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *WORDS, "--device", "cpu", "--workers", "1"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(folder: Path) -> OpenStudy:
    output, _ = (process := start(folder)).communicate(timeout=5 * PATIENCE)
    assert process.returncode == 0, output
    return open_existing(f"sqlite:///{folder}/study.db", "attention")


def killed(folder: Path, num_more: int) -> None:
    """Kill the driver once so many more epochs are stored, and wait for its workers' ends."""
    database = folder / "study.db"
    number = counted(database, EPOCHS) + num_more
    process = start(folder)
    until_stored(database, EPOCHS, number)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, timeout=PATIENCE)
    assert not alive


def trained(study: OpenStudy) -> list[tuple[object, ...]]:
    """Return everything that a training shows, but for what a clock measures."""
    return [
        (row.digest, row.seed, row.state, row.accuracy, row.correct, curve(study, row))
        for row in evaluations(study)
    ]


def curve(study: OpenStudy, row: Evaluation) -> list[Epoch]:
    return [replace(one, seconds=0.0) for one in epochs(study, row)]


def num_twice(study: OpenStudy, row: Evaluation) -> tuple[int, int]:
    """Return how many epochs later attempts trained again, and how many they took up.

    An epoch that is taken up keeps its seconds to the last bit; none takes as long twice.
    """
    again = taken = 0
    for attempt in range(2, row.attempt + 1):
        before = epochs(study, replace(row, attempt=attempt - 1))
        seconds = {one.epoch: one.seconds for one in epochs(study, replace(row, attempt=attempt))}
        same = [seconds.get(one.epoch) == one.seconds for one in before]
        again, taken = again + same.count(False), taken + same.count(True)
    return again, taken


@pytest.mark.slow
def test_trainings_whose_driver_is_killed_go_on_from_their_checkpoints(tmp_path: Path) -> None:
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    for folder in (calm, wild):
        folder.mkdir()
    undisturbed = finished(calm)
    # Behind two epochs of the first training; behind two more; and behind those that are told
    # anew, the first's last and two of the second's.
    kills = (2, 4, 7)
    for num_more in kills:
        killed(wild, num_more)
    study = finished(wild)
    rows = evaluations(study)
    assert sum(row.attempt - 1 for row in rows) == len(kills)
    for row in rows:
        again, taken = num_twice(study, row)
        assert again <= row.attempt - 1
        assert taken >= row.attempt - 1
    assert trained(study) == trained(undisturbed)
    assert not checkpoint_folder(study).exists()
