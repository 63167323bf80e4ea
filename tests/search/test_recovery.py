"""A crash between any two writes: what the next start makes of it."""

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from optuna.trial import TrialState

from search import board as board_module
from search import driver as driver_module
from search import endings as endings_module
from search import proposals as proposals_module
from search.config import StudyConfig, config_of
from search.driver import Driver, Limits
from search.executors import Event
from search.listener import Listener
from studies import OpenStudy, create_or_open, evaluations
from tests.search.scripted import SETTINGS, ScriptedExecutor

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
