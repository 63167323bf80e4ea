from collections import Counter
from dataclasses import replace
from math import inf, nan
from pathlib import Path

import pytest
from optuna.trial import TrialState
from sqlalchemy import select
from sqlalchemy.orm import Session

from search.board import Board
from search.config import StudyConfig, config_of
from search.driver import MAX_FAILURES, MAX_REFUSALS, Driver, Ending, Limits
from search.endings import end
from search.executors import Before, Done, Event, Failed, Job, Lost
from search.listener import Listener
from space import MECHANISMS, cost, digest, plain
from studies import (
    Evaluation,
    OpenStudy,
    Outcome,
    Times,
    attempts,
    create_or_open,
    evaluations,
    total_times,
)
from studies.store.tables import EvaluationRow, FrontRow
from tests.search.scripted import SETTINGS, ScriptedExecutor, succeed


def drive(
    study: OpenStudy, config: StudyConfig, executor: ScriptedExecutor, num_trials: int
) -> Ending:
    driver = Driver(study, config, executor, listener=Listener())
    return driver.run(Limits(num_trials), lambda: False)


def opened(tmp_path: Path, **changed: object) -> tuple[OpenStudy, StudyConfig]:
    config = config_of({**SETTINGS, **changed})
    url = f"sqlite:///{tmp_path}/other.db"
    return create_or_open(url, "tried", config.settings()), config


def test_the_first_three_trainings_are_the_plain_network_with_three_seeds(
    study: OpenStudy, config: StudyConfig
) -> None:
    drive(study, config, ScriptedExecutor(), 3)
    rows = [row for row in evaluations(study) if row.purpose != "reference"]
    assert [row.architecture.is_plain for row in rows] == [True] * 3
    assert [row.purpose for row in rows] == ["trial", "replicate", "replicate"]
    assert len({row.seed for row in rows}) == 3


def test_baselines_are_a_third_at_most_and_the_sampler_proposes_the_rest(
    study: OpenStudy, config: StudyConfig
) -> None:
    assert drive(study, config, ScriptedExecutor(), 16) == "total"
    rows = [row for row in evaluations(study) if row.purpose != "reference"]
    usual = [row.architecture.stages[1][0].attention.kind for row in rows[3:8]]
    assert usual == list(MECHANISMS)[:5]
    assert len(rows) == 16


def test_references_have_no_trial_and_do_not_count(study: OpenStudy, config: StudyConfig) -> None:
    drive(study, config, ScriptedExecutor(), 4)
    references = [row for row in evaluations(study) if row.purpose == "reference"]
    names = {row.architecture.backbone for row in references}
    assert names == {"resnet14", "resnet32", "resnet44"}
    assert all(row.trial is None for row in references)
    assert len(study.optuna.get_trials(deepcopy=False)) == 4


def test_without_baselines_and_references_the_plain_network_still_comes_first(
    tmp_path: Path,
) -> None:
    study, config = opened(tmp_path, baselines=False, references=False)
    drive(study, config, ScriptedExecutor(), 5)
    rows = evaluations(study)
    assert len(rows) == 5
    assert all(row.architecture.is_plain for row in rows[:3])


def test_optuna_holds_the_raw_accuracy_and_the_exact_cost(
    study: OpenStudy, config: StudyConfig
) -> None:
    drive(study, config, ScriptedExecutor(), 9)
    for row in evaluations(study):
        if row.trial is None:
            continue
        trial = study.optuna.trials[row.trial]
        assert trial.state == TrialState.COMPLETE
        assert trial.values == [row.accuracy, cost(row.architecture).macs]
        assert trial.user_attrs["digest"] == row.digest


def test_a_second_call_with_the_same_total_trains_nothing(
    study: OpenStudy, config: StudyConfig
) -> None:
    drive(study, config, ScriptedExecutor(), 6)
    again = ScriptedExecutor()
    assert drive(study, config, again, 6) == "total"
    assert again.jobs == []
    drive(study, config, again, 8)
    assert len(again.jobs) == 2


def test_an_identical_proposal_becomes_a_replicate_with_a_fresh_seed(
    study: OpenStudy, config: StudyConfig
) -> None:
    drive(study, config, ScriptedExecutor(), 24)
    rows = [row for row in evaluations(study) if row.purpose != "reference"]
    seen: Counter[str] = Counter()
    for row in rows:
        assert (row.purpose == "replicate") == (seen[row.digest] > 0)
        seen[row.digest] += 1
    assert len({row.seed for row in rows}) == len(rows)


def test_the_next_proposal_is_stored_before_a_worker_is_free(
    study: OpenStudy, config: StudyConfig
) -> None:
    driver = Driver(study, config, ScriptedExecutor(), listener=Listener())
    driver._fill(Limits(5))
    assert [row.state for row in evaluations(study)] == ["running", "proposed"]


@pytest.mark.parametrize(("workers", "ready"), [(1, 1), (3, 1), (4, 2), (33, 16)])
def test_a_proposal_is_ready_for_every_other_one_that_runs(
    workers: int, ready: int, study: OpenStudy, config: StudyConfig
) -> None:
    driver = Driver(study, config, ScriptedExecutor(workers=workers), listener=Listener())
    for _ in range(ready - 1):
        assert driver._fill(Limits(100))  # heard between two proposals
    assert not driver._fill(Limits(100))
    assert not driver._fill(Limits(100))
    states = Counter(row.state for row in evaluations(study))
    assert states == {"running": workers, "proposed": ready}


def test_failures_keep_their_reason_and_do_not_count(tmp_path: Path) -> None:
    study, config = opened(tmp_path, references=False)

    def reply(job: Job) -> list[Event]:
        if job.id == 5:
            return [Failed(job.id, job.attempt, "the loss became nan in epoch 1")]
        return succeed(job)

    assert drive(study, config, ScriptedExecutor(reply), 8) == "total"
    rows = evaluations(study)
    assert Counter(row.state for row in rows) == {"complete": 8, "failed": 1}
    (failed,) = (row for row in rows if row.state == "failed")
    assert failed.reason == "the loss became nan in epoch 1"
    assert study.optuna.trials[failed.trial or 0].state == TrialState.FAIL


@pytest.mark.parametrize("accuracy", [nan, inf, -inf, 1.01, -0.01])
def test_an_impossible_accuracy_is_a_failure(accuracy: float, tmp_path: Path) -> None:
    study, config = opened(tmp_path, references=False)

    def reply(job: Job) -> list[Event]:
        outcome = Outcome(accuracy, b"\0", 1, 1, 1.0, 1.0)
        return [Done(job.id, job.attempt, outcome)]

    assert drive(study, config, ScriptedExecutor(reply), 4) == "failures"
    assert {trial.state for trial in study.optuna.trials} <= {TrialState.FAIL, TrialState.RUNNING}


def out_of_memory(job: Job) -> Failed:
    return Failed(job.id, job.attempt, "out of memory", True, out_of_memory=True)


def test_out_of_memory_halves_the_batch_and_the_rate_once(tmp_path: Path) -> None:
    study, config = opened(tmp_path, references=False)
    whole, half = config.protocol, config.protocol.halved()
    assert (half.batch_size, half.learning_rate) == (5, 0.05)

    def reply(job: Job) -> list[Event]:
        small = job.id != 2 or job.protocol == half
        return succeed(job) if small else [out_of_memory(job)]

    executor = ScriptedExecutor(reply)
    assert drive(study, config, executor, 4) == "total"
    assert [job.protocol for job in executor.jobs if job.id == 2] == [whole, half]
    assert {job.protocol for job in executor.jobs if job.id != 2} == {whole}
    found = [(o.attempt, o.batch_size, o.ending) for o in attempts(study) if o.evaluation_id == 2]
    assert found == [(1, 10, "out_of_memory"), (2, 5, "complete")]
    assert {row.state for row in evaluations(study)} == {"complete"}
    with Session(study.engine) as session:
        digests = session.execute(
            select(EvaluationRow.id, EvaluationRow.protocol_digest).order_by(EvaluationRow.id)
        )
        assert [row[1] == half.digest() for row in digests] == [False, True, False, False]


def test_out_of_memory_with_half_the_batch_fails(tmp_path: Path) -> None:
    study, config = opened(tmp_path, references=False)

    def reply(job: Job) -> list[Event]:
        return [out_of_memory(job)] if job.id == 2 else succeed(job)

    executor = ScriptedExecutor(reply)
    assert drive(study, config, executor, 4) == "total"
    assert [job.protocol.batch_size for job in executor.jobs if job.id == 2] == [10, 5]
    (failed,) = (row for row in evaluations(study) if row.state == "failed")
    assert failed.reason == "out of memory (it was 5, halved)"
    endings = [one.ending for one in attempts(study) if one.evaluation_id == 2]
    assert endings == ["out_of_memory"] * 2


def test_a_killed_run_remembers_what_was_halved(tmp_path: Path) -> None:
    study, config = opened(tmp_path, references=False)
    first = ScriptedExecutor(lambda job: [out_of_memory(job)])
    driver = Driver(study, config, first, listener=Listener())
    driver._fill(Limits(3))
    driver._handle(first.events(1.0), may_start=True)  # and the process ends here
    again = ScriptedExecutor()
    assert drive(study, config, again, 3) == "total"
    assert [(job.id, job.attempt) for job in again.jobs[:1]] == [(1, 2)]
    assert [job.protocol.batch_size for job in again.jobs] == [5, 10, 10]


def test_a_worker_that_is_done_has_its_next_job_before_anything_is_stored(
    study: OpenStudy, config: StudyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = ScriptedExecutor()
    busy: list[bool] = []

    def watched(board: Board, row: Evaluation, event: Done, listener: Listener) -> None:
        busy.append(executor.capacity() == 0)
        end(board, row, event, listener)

    monkeypatch.setattr("search.driver.end", watched)
    drive(study, config, executor, 5)
    assert busy == [True] * 7 + [
        False
    ]  # three references beside the five; nothing follows the last


def test_the_parts_of_each_trainings_time_are_stored(
    study: OpenStudy, config: StudyConfig
) -> None:
    spent = Times(start_up=1.0, training=5.0, validation=2.0, closing=0.5)

    def reply(job: Job) -> list[Event]:
        *epochs, done = succeed(job)
        assert isinstance(done, Done)
        outcome = replace(done.outcome, times=spent)
        return [*epochs, replace(done, outcome=outcome, before=Before(0.25, 0.5))]

    drive(study, config, ScriptedExecutor(reply), 3)
    found = attempts(study)
    assert {one.times for one in found} == {replace(spent, start_up=1.5, waiting=0.25)}
    assert total_times(found) == Times(9.0, 30.0, 12.0, 3.0, 1.5)  # with three references


def test_five_failures_in_a_row_end_the_run(study: OpenStudy, config: StudyConfig) -> None:
    executor = ScriptedExecutor(lambda job: [Failed(job.id, job.attempt, "no")])
    assert drive(study, config, executor, 50) == "failures"
    assert len(executor.jobs) == MAX_FAILURES


def test_a_lost_worker_is_tried_twice_more_then_fails(
    study: OpenStudy, config: StudyConfig
) -> None:
    executor = ScriptedExecutor(lambda job: [Lost(job.id, job.attempt, "exit code 7")])
    assert drive(study, config, executor, 3) == "failures"
    assert [(job.id, job.attempt) for job in executor.jobs[:3]] == [(1, 1), (1, 2), (1, 3)]
    first = evaluations(study)[0]
    assert first.state == "failed"
    assert "3 attempts" in (first.reason or "")


def test_a_lost_training_is_repeated_as_the_same_trial(
    study: OpenStudy, config: StudyConfig
) -> None:
    def reply(job: Job) -> list[Event]:
        lost = job.id == 2 and job.attempt == 1
        return [Lost(job.id, job.attempt, "killed")] if lost else succeed(job)

    drive(study, config, ScriptedExecutor(reply), 4)
    second = evaluations(study)[1]
    assert (second.state, second.attempt, second.trial) == ("complete", 2, 1)


def test_events_of_an_earlier_attempt_are_dropped(study: OpenStudy, config: StudyConfig) -> None:
    def reply(job: Job) -> list[Event]:
        stale = Done(job.id, job.attempt - 1, Outcome(0.1, b"\0", 1, 1, 1.0, 1.0))
        return [stale, *succeed(job)]

    drive(study, config, ScriptedExecutor(reply), 3)
    assert all((row.accuracy or 0) > 0.5 for row in evaluations(study))


def test_a_proposal_over_the_budget_is_pruned_and_not_trained(tmp_path: Path) -> None:
    least = cost(plain("resnet20")).macs
    most = 102 * least // 100
    study, config = opened(tmp_path, max_macs=most, references=False, sampler="random")
    executor = ScriptedExecutor()
    assert drive(study, config, executor, 12) == "total"
    refused = [row for row in evaluations(study) if row.state == "refused"]
    assert refused
    trained = {job.id for job in executor.jobs}
    for row in refused:
        assert row.cost.macs > most
        assert row.id not in trained
        assert study.optuna.trials[row.trial or 0].state == TrialState.PRUNED
    assert all(row.cost.macs <= most for row in evaluations(study) if row.id in trained)


@pytest.mark.slow
def test_a_hundred_refusals_in_a_row_end_the_run(tmp_path: Path) -> None:
    least = cost(plain("resnet20")).macs
    study, config = opened(tmp_path, max_macs=least, baselines=False, sampler="random")
    assert drive(study, config, ScriptedExecutor(), 30) == "refusals"
    refused = [row for row in evaluations(study) if row.state == "refused"]
    assert len(refused) >= MAX_REFUSALS


def test_an_interruption_lets_the_running_trainings_finish(
    study: OpenStudy, config: StudyConfig
) -> None:
    executor = ScriptedExecutor(workers=2)
    driver = Driver(study, config, executor, listener=Listener())
    assert driver.run(Limits(20), lambda: len(executor.jobs) >= 4) == "interrupted"
    assert Counter(row.state for row in evaluations(study)) == {"complete": 4, "proposed": 1}


def test_a_time_limit_ends_like_an_interruption(study: OpenStudy, config: StudyConfig) -> None:
    driver = Driver(study, config, ScriptedExecutor(), listener=Listener())
    assert driver.run(Limits(20, max_seconds=0.0), lambda: False) == "time"


def test_the_stored_front_follows_every_training(study: OpenStudy, config: StudyConfig) -> None:
    drive(study, config, ScriptedExecutor(), 12)
    with Session(study.engine) as session:
        rows = session.scalars(select(FrontRow).order_by(FrontRow.rank)).all()
    assert rows[0].digest == digest(plain("resnet20"))
    assert [row.macs for row in rows] == sorted(row.macs for row in rows)
    assert [row.estimate for row in rows] == sorted(row.estimate for row in rows)
    assert sum(row.num_evaluations for row in rows) <= 12


@pytest.mark.parametrize(
    "sampler",
    [
        "known-cost",
        *(
            pytest.param(n, marks=pytest.mark.slow)
            for n in ("tpe", "tpe-group", "nsga2", "random")
        ),
    ],
)
def test_every_sampler_reaches_the_total_the_same_way_twice(sampler: str, tmp_path: Path) -> None:
    proposals = []
    for number in range(2):
        config = config_of({**SETTINGS, "sampler": sampler, "references": False})
        url = f"sqlite:///{tmp_path}/{number}.db"
        study = create_or_open(url, "tried", config.settings())
        drive(study, config, ScriptedExecutor(), 16)
        proposals.append([row.digest for row in evaluations(study)])
    assert proposals[0] == proposals[1]
    assert len(set(proposals[0][8:])) > 4
