"""Workers that die, hang, fall silent, or send what no training can have shown."""

import os
import signal
from pathlib import Path

import pytest

from search.config import StudyConfig, config_of
from search.driver import Driver, Limits
from search.executors import LocalExecutor
from search.listener import Listener
from search.recovery import MAX_ATTEMPTS
from studies import Epoch, Evaluation, OpenStudy, attempts, create_or_open, evaluations
from tests.search.faults.faulty_trainer import FAULTS, FAULTY
from tests.search.faults.whole import assert_whole
from tests.search.scripted import SETTINGS

TRAINER = "tests.search.faults.faulty_trainer:train"
TRIALS, EPOCHS = 6, 3
TIMEOUT = 3600.0  # seconds, so that no slow machine is taken for a hanging worker
LOST = {  # and what its second attempt cures; with the reason of the last
    "exits silently": "the worker died with exit code 0",
    "is killed": f"the worker died with exit code {-signal.SIGKILL}",
    "hangs": "it took longer than --trial-timeout 1 h",
    "cannot be read": "what the worker sent cannot be read: no such class",
}
FAILED = {
    "ends without an outcome": "the trainer ended without an outcome",
    "raises": "ZeroDivisionError: division by zero",
    "yields words": "a trainer must yield epochs and an outcome, got dict",
    "cannot be sent": "pickle",
    "five megabytes of reason": "xxx ...",
    "five megabytes of gates": "gates must be at most 1,000,000 characters, got 5,000,",
    "gates of nan": "gates must be plain numbers and names",
    "gates with other keys": "gates must be plain numbers and names",
    "gates of no module": "gates must be statistics by module, got [1.0, 2.0]",
    "accuracy of nan": "accuracy must be from 0 to 1, got nan",
    "accuracy of inf": "accuracy must be from 0 to 1, got inf",
    "accuracy of words": "accuracy must be from 0 to 1, got '0.9'",
    "no accuracy": "accuracy must be from 0 to 1, got None",
    "seconds of inf": "seconds must be a finite number, got inf",
    "few bits": "correct must be 125 bytes, got 1 bytes",
    "another cost": "MACs and",
    "epoch of nan": "training loss must be a finite number, got nan",
    "an epoch too many": "epoch must be 1 to 3, got 4",
    "an epoch twice": "epoch must be 2, the next, got 1",
    "an outcome without epochs": "must come behind the epochs 1 to 3, got it behind []",
    "times of another kind": "times must be Times, got {'start': 1}",
}
QUICK = ("hangs", "yields words")


def some(names: object) -> list[object]:
    """Return the faults; most of them with the slow tests, since each starts processes."""
    return [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in names  # type: ignore[attr-defined] # a mapping of names
    ]


@pytest.fixture
def config() -> StudyConfig:
    return config_of({**SETTINGS, "epochs": EPOCHS, "references": False})


class Impatient(Listener):
    """Lets the faulty training seem to have begun long ago, once it shows an epoch."""

    def __init__(self, num_attempts: int) -> None:
        self.num_attempts = num_attempts
        self.since: dict[int, float] = {}

    def epoch(self, row: Evaluation, epoch: Epoch) -> None:
        if row.id == FAULTY and row.attempt <= self.num_attempts and epoch.epoch == 1:
            self.since[row.id] -= 2 * TIMEOUT


def disturbed(
    url: str, config: StudyConfig, fault: str, num_attempts: int = 1
) -> tuple[OpenStudy, Evaluation]:
    """Run a study to its total with a fault in one training; return that one, too."""
    study = create_or_open(url, "tried", config.settings())
    variables = {"FAULT": fault, "FAULT_ATTEMPTS": str(num_attempts), "FAKE_SECONDS": "0"}
    executor = LocalExecutor(TRAINER, [variables])
    try:
        ending = driven(study, config, executor, num_attempts if fault == "hangs" else 0)
    finally:
        executor.close()
    assert ending == "total"
    assert_whole(study, TRIALS, num_epochs=EPOCHS)
    return study, next(one for one in evaluations(study) if one.id == FAULTY)


def driven(
    study: OpenStudy, config: StudyConfig, executor: LocalExecutor, num_hanging: int
) -> str:
    listener = Impatient(num_hanging)
    driver = Driver(study, config, executor, listener=listener)
    listener.since = driver.board.since
    return driver.run(Limits(TRIALS, max_trial_seconds=TIMEOUT), lambda: False)


def test_every_fault_has_its_end() -> None:
    assert {*LOST, *FAILED, "out of memory"} == set(FAULTS)
    assert "FAULT" not in os.environ


@pytest.mark.parametrize("fault", some(LOST))
def test_a_training_that_loses_its_worker_runs_again(
    fault: str, url: str, config: StudyConfig
) -> None:
    _, row = disturbed(url, config, fault)
    assert (row.state, row.attempt) == ("complete", 2)


@pytest.mark.slow
@pytest.mark.parametrize("fault", LOST)
def test_a_training_that_loses_every_worker_fails_with_the_last_reason(
    fault: str, url: str, config: StudyConfig
) -> None:
    study, row = disturbed(url, config, fault, num_attempts=9)
    most = 1 + MAX_ATTEMPTS  # the first shows an epoch, and no other gets further
    assert (row.state, row.attempt) == ("failed", most)
    assert row.reason is not None
    assert LOST[fault] in row.reason
    assert len([one for one in attempts(study) if one.evaluation_id == FAULTY]) == most


@pytest.mark.parametrize("fault", some(FAILED))
def test_a_training_that_shows_nonsense_fails_alone(
    fault: str, url: str, config: StudyConfig
) -> None:
    _, row = disturbed(url, config, fault)
    assert (row.state, row.attempt) == ("failed", 1)
    assert row.reason is not None
    assert FAILED[fault] in row.reason
    assert len(row.reason) < 2_100


@pytest.mark.slow
@pytest.mark.parametrize(("num_attempts", "state"), [(1, "complete"), (2, "failed")])
def test_memory_that_runs_out_is_asked_for_less_once(
    num_attempts: int, state: str, url: str, config: StudyConfig
) -> None:
    _, row = disturbed(url, config, "out of memory", num_attempts)
    assert (row.state, row.attempt) == (state, 2)


@pytest.mark.slow
def test_a_hanging_worker_leaves_the_other_alone(tmp_path: Path, config: StudyConfig) -> None:
    url = f"sqlite:///{tmp_path}/two.db"
    study = create_or_open(url, "tried", config.settings())
    executor = LocalExecutor(TRAINER, [{"FAULT": "hangs"}, {"FAULT": "hangs"}])
    try:
        assert driven(study, config, executor, num_hanging=1) == "total"
    finally:
        executor.close()
    assert_whole(study, TRIALS, num_epochs=EPOCHS)
    assert [one.attempt for one in evaluations(study) if one.attempt > 1] == [2]
