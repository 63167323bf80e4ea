"""What a benchmark keeps of its trainings, and how it ends in time."""

import operator
import time
from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks import runs
from benchmarks.parallel import in_processes
from benchmarks.runs import completed, store, stored
from benchmarks.trainings import OURS, TUTORIAL, Trained, Training
from search.config import StudyConfig

FOUND = Trained((0.25, 0.5), (1.5, 1.25))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "finished.runs"


@pytest.fixture
def training(small_config: StudyConfig) -> Training:
    return Training(OURS, "resnet8", 0, small_config.protocol, "cpu")


@pytest.fixture
def other(small_config: StudyConfig) -> Training:
    return Training(TUTORIAL, "resnet8", 0, small_config.protocol, "cpu")


def test_what_was_stored_is_found_again_for_the_same_training_only(
    path: Path, training: Training, other: Training
) -> None:
    store(path, training, FOUND)
    assert stored(path, [training, other]) == {training: FOUND}


@pytest.mark.parametrize("num_lost", [1, 2, 5])  # bytes: the line's end, its last brace, more
def test_a_line_that_was_cut_short_counts_as_not_done_and_spoils_no_other(
    path: Path, training: Training, other: Training, num_lost: int
) -> None:
    store(path, training, FOUND)
    path.write_bytes(path.read_bytes()[:-num_lost])
    assert stored(path, [training, other]) == {}
    store(path, other, FOUND)
    assert stored(path, [training, other]) == {other: FOUND}


def test_only_trainings_that_are_missing_are_done(
    path: Path, training: Training, other: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Training] = []

    def done_here(
        _: object, tasks: list[Training], **__: object
    ) -> list[tuple[Training, Trained]]:
        asked.extend(tasks)
        return [(one, FOUND) for one in tasks]

    monkeypatch.setattr(runs, "in_processes", done_here)
    options = Namespace(runs=path, ends_at=None, data_dir=None, dataset="cifar10-sample")
    store(path, training, FOUND)
    assert completed([training, other], options, 1) == {training: FOUND, other: FOUND}
    assert completed([training, other], options, 1) == {training: FOUND, other: FOUND}
    assert asked == [other]


def test_processes_find_something_for_each_task() -> None:
    assert dict(in_processes(operator.neg, [1, 2, 3], processes=2)) == {1: -1, 2: -2, 3: -3}


def test_tasks_that_would_take_longer_are_killed() -> None:
    assert not list(in_processes(time.sleep, [3600, 3600], processes=1, seconds=0.2))
