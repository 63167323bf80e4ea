"""A crash between any two writes: what the next start makes of it."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from optuna.trial import TrialState

from search import board as board_module
from search import driver as driver_module
from search import endings as endings_module
from search import proposals as proposals_module
from search.checkpoint_files import checkpoint_folder
from search.config import StudyConfig, config_of
from search.driver import Driver, Limits
from search.executors import Event, Job, Lost
from search.listener import Listener
from space import plain
from studies import (
    Attempt,
    Epoch,
    Evaluation,
    OpenStudy,
    add_epoch,
    add_proposal,
    create_or_open,
    end_attempt,
    evaluations,
    start_attempt,
)
from studies.store.attempts import reached
from tests.search.scripted import SETTINGS, ScriptedExecutor, learn, succeed

if TYPE_CHECKING:
    from collections.abc import Callable

TRIALS = 12
STEPS = (
    (proposals_module, "_drawn"),
    (proposals_module, "_annotate"),
    (proposals_module, "add_proposal"),
    (driver_module, "start_attempt"),
    (driver_module, "add_epoch"),
    (endings_module, "complete"),
    (endings_module, "tell"),
    (board_module, "store_front"),
)
# Between the same two states as their neighbours.
LIKE_OTHERS = ("_drawn", "_annotate", "add_epoch", "store_front")


class Crash(BaseException):
    """The process ends here, as far as the database can tell."""


def run(study: OpenStudy, config: StudyConfig) -> None:
    Driver(study, config, ScriptedExecutor(), listener=Listener()).run(
        Limits(TRIALS), lambda: False
    )


def outcome(study: OpenStudy) -> list[tuple[object, ...]]:
    return [
        (row.proposal, row.digest, row.seed, row.state, row.accuracy) for row in evaluations(study)
    ]


def crash_at(
    monkeypatch: pytest.MonkeyPatch, place: tuple[object, str], call: int, *, after: bool
) -> None:
    """Make the given call of a step the last thing that happens."""
    module, name = place
    original: Callable[..., object] = getattr(module, name)
    calls = 0

    def step(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            raise Crash
        result = original(*args, **kwargs)
        if calls == call:
            raise Crash
        return result

    monkeypatch.setattr(module, name, step)


@pytest.fixture(scope="module")
def config() -> StudyConfig:
    return config_of({**SETTINGS, "sampler": "known-cost"})


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, config: StudyConfig
) -> list[tuple[object, ...]]:
    url = f"sqlite:///{tmp_path_factory.mktemp('calm')}/study.db"
    study = create_or_open(url, "tried", config.settings())
    run(study, config)
    return outcome(study)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", [1, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "place",
    [
        pytest.param(step, id=step[1], marks=[pytest.mark.slow] if step[1] in LIKE_OTHERS else [])
        for step in STEPS
    ],
)
def test_a_crash_at_any_write_leaves_a_study_that_ends_the_same(
    place: tuple[object, str],
    call: int,
    after: bool,
    study: OpenStudy,
    config: StudyConfig,
    undisturbed: list[tuple[object, ...]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.board.STORE_SHARE", 1e9)  # the front is stored after every ending
        crash_at(patch, place, call, after=after)
        with pytest.raises(Crash):
            run(study, config)
    again = create_or_open(study.url, study.name, config.settings())
    run(again, config)
    assert outcome(again) == undisturbed
    states = Counter(trial.state for trial in again.optuna.get_trials(deepcopy=False))
    assert states[TrialState.COMPLETE] == TRIALS
    assert states[TrialState.RUNNING] == states[TrialState.WAITING] == 0


def test_a_training_that_kills_its_driver_three_times_fails(
    study: OpenStudy, config: StudyConfig
) -> None:
    class Deadly(ScriptedExecutor):
        def events(self, timeout: float) -> list[Event]:  # noqa: ARG002 - it dies first
            raise Crash

    for _ in range(3):
        with pytest.raises(Crash):
            Driver(study, config, Deadly(), listener=Listener()).run(Limits(TRIALS), lambda: False)
    run(study, config)
    first = evaluations(study)[0]
    assert first.state == "failed"
    assert study.optuna.trials[0].state == TrialState.FAIL


class Deadly(ScriptedExecutor):
    """Shows so many epochs of what it is given, and its driver dies."""

    def __init__(self, num_epochs: int) -> None:
        super().__init__(lambda job: learn(job)[:num_epochs])

    def events(self, timeout: float) -> list[Event]:
        if not self.waiting:
            raise Crash
        return super().events(timeout)

    def capacity(self) -> int:
        return 1 - len(self.jobs)


def killed_after(study: OpenStudy, config: StudyConfig, num_epochs: int) -> None:
    driver = Driver(study, config, Deadly(num_epochs), listener=Listener())
    with pytest.raises(Crash):
        driver.run(Limits(1), lambda: False)


@pytest.fixture
def long(tmp_path: Path) -> tuple[OpenStudy, StudyConfig]:
    """Return a study whose trainings have six epochs."""
    own = config_of({**SETTINGS, "epochs": 6, "references": False})
    return create_or_open(f"sqlite:///{tmp_path}/long.db", "tried", own.settings()), own


def test_a_training_that_gets_further_each_time_outlives_any_number_of_drivers(
    long: tuple[OpenStudy, StudyConfig],
) -> None:
    for num_epochs in (1, 2, 3, 4, 5):
        killed_after(*long, num_epochs)
    Driver(*long, ScriptedExecutor(learn), listener=Listener()).run(Limits(1), lambda: False)
    (row,) = evaluations(long[0])
    assert (row.state, row.attempt) == ("complete", 6)


def test_three_attempts_that_get_no_further_fail_a_training_that_once_did(
    long: tuple[OpenStudy, StudyConfig],
) -> None:
    for num_epochs in (0, 0, 4, 2, 0, 4):
        killed_after(*long, num_epochs)
    Driver(*long, ScriptedExecutor(learn), listener=Listener()).run(Limits(1), lambda: False)
    first = evaluations(long[0])[0]
    assert (first.state, first.attempt) == ("failed", 6)
    assert first.reason is not None
    assert "in 3 attempts that got no further; the last time the driver died" in first.reason


def test_epochs_with_another_batch_are_no_measure_of_getting_further(study: OpenStudy) -> None:
    row = next_row(study)
    for attempt, num_epochs in ((1, 5), (2, 2), (3, 0)):
        start_attempt(study, Attempt(row.id, attempt, 10, 0.1), "digest")
        for number in range(1, num_epochs + 1):
            add_epoch(study, row.id, attempt, Epoch(number, 1.0, 1.0, 0.5, 1.0))
        if attempt == 1:
            end_attempt(study, row.id, attempt, "out_of_memory")
    assert reached(study, replace(row, attempt=3)) == (2, 0)
    assert reached(study, replace(row, attempt=4)) == (2, 0, 0)


def next_row(study: OpenStudy) -> Evaluation:
    return add_proposal(
        study, plain("resnet20"), trial=None, proposal=0, purpose="reference", seed=1
    )


def test_a_training_lost_while_the_run_is_interrupted_does_not_count(
    long: tuple[OpenStudy, StudyConfig],
) -> None:
    def lose(job: Job) -> list[Event]:
        return [Lost(job.id, job.attempt, "the worker died with exit code 1")]

    def run_to_a_signal() -> str:  # to the whole group, so that it ends the workers, too
        executor = ScriptedExecutor(lose)
        driver = Driver(*long, executor, listener=Listener())
        return driver.run(Limits(1), lambda: bool(executor.jobs))

    assert {run_to_a_signal() for _ in range(4)} == {"interrupted"}
    (row,) = evaluations(long[0])
    assert (row.state, row.attempt) == ("proposed", 1)


def test_a_training_that_is_given_up_leaves_no_checkpoint(study: OpenStudy) -> None:
    config = config_of({**SETTINGS, "references": False})

    def lose_the_first(job: Job) -> list[Event]:
        assert job.checkpoint is not None
        job.checkpoint.path.parent.mkdir(exist_ok=True)
        job.checkpoint.path.write_bytes(b"weights")
        return [Lost(job.id, job.attempt, "it died")] if job.id == 1 else succeed(job)

    executor = ScriptedExecutor(lose_the_first)
    Driver(study, config, executor, listener=Listener()).run(Limits(1), lambda: False)
    assert evaluations(study)[0].state == "failed"
    assert not checkpoint_folder(study).exists()
