"""Trainings that are stopped at a rung, and those that go on: with a scripted executor.

Every study here has begun with twelve finished trainings and then two hopeless baselines. Of the
next four, the sampler's, three are as far below the front and the other is above it.
"""

import io
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect
from typing import TYPE_CHECKING

import pytest
from optuna.trial import TrialState
from rich.console import Console

from search import board as board_module
from search import driver as driver_module
from search import endings as endings_module
from search import stopping as stopping_module
from search.board import Board
from search.config import StudyConfig, config_of
from search.display import Display
from search.driver import Driver, Limits
from search.endings import end
from search.executors import Done, EpochDone, Event, Job, LocalExecutor, Lost, Stopped
from search.listener import Listener
from search.opened import open_status
from search.rungs import rungs
from search.stopping import is_audited
from studies import (
    Evaluation,
    OpenStudy,
    attempts,
    create_or_open,
    curves,
    database_path,
    evaluations,
    front_of,
)
from tests.search.scripted import SETTINGS, ScriptedExecutor, SteppingExecutor, learn

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST, BEGUN, TRIALS, EPOCHS = 12, 14, 18, 6
HOPELESS = (13, 14, 15, 16, 18)  # ids
STOPPED, AUDITED = [15, 18], [16]
CONFIG = config_of(
    {
        **SETTINGS,
        "epochs": EPOCHS,
        "early_stop": True,
        "references": False,
        "sampler": "random",
        "replicates": 0.0,
        "audit": 0.5,
        "seed": 5,
    }
)


class Crash(BaseException):
    """The process ends here, as far as the database can tell."""


class Heard(Listener):
    """Keeps the audits that it hears of."""

    def __init__(self) -> None:
        self.audits: list[Evaluation] = []

    def audited(self, row: Evaluation) -> None:
        self.audits.append(row)


def train(job: Job) -> list[Event]:
    """Return what is said of a job that is far below or above the others."""
    if job.id <= FIRST:
        return learn(job)
    shift = -0.3 if job.id in HOPELESS else 0.02
    *told, done = learn(job)
    assert isinstance(done, Done)
    moved: list[Event] = [
        replace(one, epoch=replace(one.epoch, accuracy=one.epoch.accuracy + shift))
        for one in told
        if isinstance(one, EpochDone)
    ]
    outcome = replace(done.outcome, accuracy=done.outcome.accuracy + shift)
    return [*moved, replace(done, outcome=outcome)]


def drive(
    study: OpenStudy,
    executor: SteppingExecutor | None = None,
    config: StudyConfig = CONFIG,
    num_trials: int = TRIALS,
) -> SteppingExecutor:
    executor = executor or SteppingExecutor(train)
    driver = Driver(study, config, executor, listener=Listener())
    assert driver.run(Limits(num_trials), lambda: False) == "total"
    return executor


def ids(study: OpenStudy, **wanted: str) -> list[int]:
    """Return the ids of the rows with these values."""
    rows = evaluations(study)
    return [row.id for row in rows if all(getattr(row, key) == v for key, v in wanted.items())]


def facts(study: OpenStudy) -> list[tuple[object, ...]]:
    return [
        (row.proposal, row.digest, row.seed, row.purpose, row.state, row.accuracy, row.reason)
        for row in evaluations(study)
    ]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of a study with its first trainings."""
    path = tmp_path_factory.mktemp("begun") / "study.db"
    study = create_or_open(f"sqlite:///{path}", "tried", CONFIG.settings())
    assert drive(study, num_trials=FIRST).told == []  # never before twelve have finished
    executor = SteppingExecutor(train)
    driver = Driver(study, CONFIG, executor, listener=Listener())
    driver.run(Limits(TRIALS), lambda: len(executor.jobs) == BEGUN - FIRST)
    assert executor.told == []  # never a baseline
    return path


def copied(database: Path, folder: Path) -> OpenStudy:
    path = folder / "study.db"
    with closing(connect(database)) as source, closing(connect(path)) as target:
        source.backup(target)  # with what is still in its log
    return create_or_open(f"sqlite:///{path}", "tried", CONFIG.settings())


@pytest.fixture
def study(begun: Path, tmp_path: Path) -> OpenStudy:
    return copied(begun, tmp_path)


@pytest.fixture(scope="module")
def calm(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenStudy:
    """Return the finished study in which nothing went wrong."""
    made = copied(begun, tmp_path_factory.mktemp("calm"))
    assert drive(made).told == STOPPED
    return made


def test_hopeless_trainings_are_stopped_or_audited_but_no_baseline(calm: OpenStudy) -> None:
    assert ids(calm, state="stopped") == STOPPED
    assert ids(calm, purpose="audit") == AUDITED
    assert ids(calm, state="complete") == [n for n in range(1, TRIALS + 1) if n not in STOPPED]


def test_a_stopped_training_keeps_its_epochs_and_says_why(calm: OpenStudy) -> None:
    known = curves(calm)
    for row in evaluations(calm):
        if row.state == "stopped":
            assert len(known[row.id]) == rungs(EPOCHS)[0] == 1
            assert (row.accuracy, row.correct) == (None, None)
            assert row.is_final
            assert (row.reason or "").startswith("after epoch 1: ")
        else:
            assert len(known[row.id]) == EPOCHS
    endings = {one.evaluation_id: one.ending for one in attempts(calm)}
    assert [key for key, ending in endings.items() if ending == "stopped"] == STOPPED


def test_a_stopped_trial_is_pruned_without_values(calm: OpenStudy) -> None:
    trials = calm.optuna.get_trials(deepcopy=False)
    pruned = [one for one in trials if one.state == TrialState.PRUNED]
    assert [one.number + 1 for one in pruned] == STOPPED
    assert all(one.values is None and one.intermediate_values == {} for one in pruned)
    complete = [one for one in trials if one.state == TrialState.COMPLETE]
    assert len(complete) == TRIALS - len(STOPPED)


def test_stopped_trainings_count_for_the_total(calm: OpenStudy) -> None:
    rows = evaluations(calm)
    assert sum(row.counts for row in rows) == len(rows) == TRIALS
    assert drive(calm).jobs == []


def test_stopped_networks_are_not_on_the_front(calm: OpenStudy) -> None:
    front = front_of(evaluations(calm), "resnet20", "macs")
    assert front.num_trainings == TRIALS - len(STOPPED)
    stopped = {row.digest for row in evaluations(calm) if row.state == "stopped"}
    assert not stopped & {one.digest for one in front.points}


@pytest.mark.parametrize("sampler", ["tpe", "tpe-group", "nsga2"])
def test_every_sampler_asks_on_beside_stopped_trials(
    sampler: str, calm: OpenStudy, tmp_path: Path
) -> None:
    study = copied(database_path(calm.url), tmp_path)
    config = CONFIG.model_copy(update={"sampler": sampler})
    drive(study, config=config, num_trials=TRIALS + 1)
    assert len(evaluations(study)) == TRIALS + 1


@pytest.mark.parametrize("changed", [{"early_stop": False}, {"epochs": 5}])
def test_without_early_stopping_or_rungs_all_train_to_their_ends(
    changed: dict[str, object], study: OpenStudy
) -> None:
    config = config_of({**CONFIG.settings(), **changed})
    assert drive(study, config=config).told == []
    assert {row.state for row in evaluations(study)} == {"complete"}
    assert ids(study, purpose="audit") == []


def test_a_training_that_is_done_when_its_rung_is_heard_of_is_kept(study: OpenStudy) -> None:
    """All epochs and the end come at once; that executor would not bear a stop."""
    driver = Driver(study, CONFIG, ScriptedExecutor(train), listener=Listener())
    driver.run(Limits(TRIALS), lambda: False)
    assert {row.state for row in evaluations(study)} == {"complete"}
    assert ids(study, purpose="audit") == []


def test_an_end_wins_over_a_stop_that_comes_too_late(study: OpenStudy) -> None:
    executor = drive(study, SteppingExecutor(train, hears_stops=False))
    assert executor.told == STOPPED  # once each, at the first of two rungs
    assert {row.state for row in evaluations(study)} == {"complete"}
    assert {one.ending for one in attempts(study)} == {"complete"}


def test_a_stopped_worker_has_its_next_job_before_anything_is_stored(
    study: OpenStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = SteppingExecutor(train)
    busy: list[bool] = []

    def watched(board: Board, row: Evaluation, event: Done | Stopped, to: Listener) -> None:
        if isinstance(event, Stopped):
            busy.append(executor.capacity() == 0)
        end(board, row, event, to)

    monkeypatch.setattr(driver_module, "end", watched)
    drive(study, executor)
    assert busy == [True, False]  # nothing follows the last


def test_several_workers_reach_exactly_the_total(study: OpenStudy) -> None:
    executor = drive(study, SteppingExecutor(train, workers=3))
    rows = evaluations(study)
    assert len(rows) == sum(row.counts for row in rows) == TRIALS
    assert executor.told == ids(study, state="stopped") == STOPPED


def test_a_worker_that_is_lost_while_it_stops_does_it_again(
    study: OpenStudy, calm: OpenStudy
) -> None:
    class Dying(SteppingExecutor):
        def stop(self, job: int) -> None:
            super().stop(job)
            if len(self.told) == 1:
                self.left[job] = [Lost(job, 1, "killed")]

    assert drive(study, Dying(train)).told == [STOPPED[0], *STOPPED]
    again = next(row for row in evaluations(study) if row.id == STOPPED[0])
    assert again.attempt == 2
    assert facts(study) == facts(calm)


def test_a_stop_that_nobody_asked_for_is_a_lost_training(study: OpenStudy) -> None:
    def reply(job: Job) -> list[Event]:
        once = (job.id, job.attempt) == (17, 1)
        return [Stopped(job.id, 1)] if once else train(job)

    drive(study, SteppingExecutor(reply))
    again = next(row for row in evaluations(study) if row.id == 17)
    assert (again.state, again.attempt) == ("complete", 2)


def test_with_all_stops_audited_nothing_is_stopped(study: OpenStudy) -> None:
    heard = Heard()
    executor = SteppingExecutor(train)
    config = CONFIG.model_copy(update={"audit": 1.0})
    Driver(study, config, executor, listener=heard).run(Limits(TRIALS), lambda: False)
    audits = [row for row in evaluations(study) if row.purpose == "audit"]
    assert [row.id for row in audits] == [15, 16, 18]
    assert [row.id for row in heard.audits] == [15, 16, 18]  # once each
    assert {row.state for row in audits} == {"complete"}
    assert all(row.counts for row in audits)
    assert executor.told == []


def test_audits_are_drawn_from_the_proposal_at_the_given_rate(calm: OpenStudy) -> None:
    config = CONFIG.model_copy(update={"audit": 0.1})
    row = evaluations(calm)[0]
    drawn = [is_audited(config, replace(row, proposal=number)) for number in range(2000)]
    assert 160 < sum(drawn) < 240  # 200 expected, with a deviation of 13
    assert drawn == [is_audited(config, replace(row, proposal=n, seed=n)) for n in range(2000)]
    none, every = (CONFIG.model_copy(update={"audit": share}) for share in (0.0, 1.0))
    assert not is_audited(none, row)
    assert is_audited(every, row)


def is_of_a_stop(name: str, args: tuple[object, ...]) -> bool:
    """Say whether a step is about a stopped or an audited training."""
    study, what = args[:2]
    assert isinstance(study, OpenStudy)
    if isinstance(what, Evaluation):
        return what.state == "stopped" or what.purpose == "audit"
    if name == "store_front":
        return bool(ids(study, state="stopped"))
    return name in ("set_audit", "stop") or what in ids(study, purpose="audit")


@pytest.mark.parametrize(
    "after", [pytest.param(False, marks=pytest.mark.slow), True], ids=["before", "after"]
)
@pytest.mark.parametrize(
    ("module", "name", "which"),
    [
        (stopping_module, "set_audit", 1),
        (endings_module, "stop", 1),
        (endings_module, "complete", 1),
        (endings_module, "tell", 1),
        (endings_module, "tell", 2),
        (driver_module, "start_attempt", 2),
        (board_module, "store_front", 1),
    ],
)
def test_a_crash_at_any_write_of_a_stop_leaves_a_study_that_ends_the_same(
    module: object, name: str, which: int, *, after: bool, study: OpenStudy, calm: OpenStudy
) -> None:
    original: Callable[..., object] = getattr(module, name)
    calls = 0

    def step(*args: object) -> object:
        nonlocal calls
        about_stop = name == "start_attempt" or is_of_a_stop(name, args)
        calls += about_stop
        is_last = about_stop and calls == which
        if is_last and not after:
            raise Crash
        result = original(*args)
        if is_last:
            raise Crash
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, step)
        with pytest.raises(Crash):
            drive(study)
    again = create_or_open(study.url, study.name, CONFIG.settings())
    drive(again)
    assert facts(again) == facts(calm)
    states = Counter(trial.state for trial in again.optuna.get_trials(deepcopy=False))
    assert states == {TrialState.PRUNED: len(STOPPED), TrialState.COMPLETE: TRIALS - len(STOPPED)}


def test_each_training_is_told_once(study: OpenStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int | None] = []
    original: Callable[[OpenStudy, Evaluation], None] = vars(endings_module)["tell"]

    def tell(study: OpenStudy, row: Evaluation) -> None:
        told.append(row.trial)
        original(study, row)

    monkeypatch.setattr(endings_module, "tell", tell)
    drive(study)
    assert told == list(range(BEGUN, TRIALS))


def test_the_board_reads_all_curves_again(study: OpenStudy) -> None:
    driver = Driver(study, CONFIG, SteppingExecutor(train), listener=Listener())
    driver.run(Limits(TRIALS), lambda: False)
    board = Board(study, CONFIG)
    board.read()
    assert board.curves == driver.board.curves


def test_the_status_counts_stops_and_saved_epochs(calm: OpenStudy) -> None:
    """Two of 18 stopped after the first of six epochs: 10 / 108 saved."""
    found = open_status(calm.url, calm.name)
    assert (
        "early stopping: 2 stopped, 9.3 % of the epochs saved; "
        "audits: 1 trained to the end, 0 of them on the front"
    ) in found
    assert any(one.startswith("trainings: 16 complete, 2 stopped") for one in found)
    assert not any("wrong stops" in one for one in found)  # fewer than 20 audits


def test_a_stopped_training_is_one_line_on_the_screen(calm: OpenStudy) -> None:
    text = io.StringIO()
    display = Display(Console(file=text, width=300), CONFIG, num_trials=TRIALS, done=0)
    row = evaluations(calm)[STOPPED[0] - 1]
    display.started(replace(row, state="running"))
    display.audited(replace(row, state="running", purpose="audit"))
    assert display.progress.tasks[1].description.startswith("  audit 14 ")
    display.finished(row)
    (line,) = text.getvalue().splitlines()
    assert line.startswith(" stopped  trial 14 ")
    assert line.endswith(str(row.reason))
    assert display.progress.tasks[0].completed == 1


def test_a_real_worker_is_free_again_when_its_training_was_stopped(study: OpenStudy) -> None:
    """All that it trains is hopeless, and after its first epoch it waits to be told so."""
    config = CONFIG.model_copy(update={"baselines": False, "audit": 0.0})
    executor = LocalExecutor("tests.search.fake_trainer:train", [{"FAKE_WAIT": "1"}])
    driver = Driver(study, config, executor, listener=Listener())
    try:
        driver.run(Limits(BEGUN + 2), lambda: False)
    finally:
        executor.close()
    assert ids(study, state="stopped") == [BEGUN + 1, BEGUN + 2]
    assert {row.attempt for row in evaluations(study)} == {1}
