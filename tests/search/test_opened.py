"""What `search status` says of attempts, and how a run finds its number of workers."""

from dataclasses import replace
from pathlib import Path

import pytest

from search import probes
from search.config import StudyConfig, config_of
from search.crew import Load
from search.driver import Limits
from search.executors import Before, Done, Event, Failed, Job, Probed
from search.next_commands import resume_command
from search.opened import _stop_lines, open_status
from search.opening import opening_line
from search.plan import Plan
from search.probes import find_workers
from studies import OpenStudy, Stops, Times, attempts, create_or_open
from tests.search.scripted import SETTINGS, ScriptedExecutor, succeed
from tests.search.test_driver import drive

ENVIRONMENTS = ({"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"})


def test_the_status_says_where_the_time_went_and_what_was_halved(
    study: OpenStudy, config: StudyConfig
) -> None:
    """Six trainings of 100 s; the second runs out of memory first."""
    spent = Times(start_up=5.0, training=60.0, validation=15.0, closing=0.0)

    def reply(job: Job) -> list[Event]:
        if (job.id, job.attempt) == (2, 1):
            return [Failed(job.id, 1, "out of memory", True, out_of_memory=True)]
        *epochs, done = succeed(job)
        assert isinstance(done, Done)
        outcome = replace(done.outcome, times=spent)
        return [*epochs, replace(done, outcome=outcome, before=Before(20.0, 0.0))]

    drive(study, config, ScriptedExecutor(reply), 3)
    assert len(attempts(study)) == 3 + 3 + 1  # trainings, references, and the one without memory
    lines = open_status(study.url, study.name)
    assert (
        "time of the workers: 10 min: start-up 5.0 %, training 60.0 %, validation 15.0 %, "
        "closing 0.0 %, waiting 20.0 %"
    ) in lines
    assert "memory ran out for 1: 1 trained with half the batch and rate" in lines


def test_a_study_without_attempts_says_nothing_of_them(study: OpenStudy) -> None:
    assert not any("time of the workers" in line for line in open_status(study.url, study.name))


def test_the_second_line_names_sampler_budgets_and_averaging(
    study: OpenStudy, tmp_path: Path
) -> None:
    assert (
        open_status(study.url, study.name)[1] == "sampler random, no limit of cost, no averaging"
    )
    own = {"sampler": "known-cost", "max_params": 400_000, "averaging": 0.1, "curve_images": 500}
    config = config_of({**SETTINGS, **own})
    other = create_or_open(f"sqlite:///{tmp_path}/other.db", "other", config.settings())
    line = "sampler known-cost, at most 400 k params, averaging 0.1, 500 curve images"
    assert open_status(other.url, "other")[1] == line


def test_a_run_opens_with_the_range_of_costs_that_its_budget_leaves(config: StudyConfig) -> None:
    def line(**limits: int) -> str:
        own = config.model_copy(update=limits)
        plan = Plan(own, "sqlite:///x.db", "x", Limits(9), "cpu", ENVIRONMENTS)
        return opening_line(plan, None, ())

    limited = line(max_macs=44_606_144)
    assert (
        "of resnet20, of which those within the budget 40.6 M to 44.6 M macs (+10 %);" in limited
    )
    assert "budget" not in line()
    assert line(max_macs=10**12).replace("of which those within the budget ", "") == line()


class Growing:
    """An executor that counts the environments it was given."""

    def __init__(self, first: dict[str, str]) -> None:
        self.environments = [first]

    def size(self) -> int:
        return len(self.environments)

    def add(self, environments: list[dict[str, str]]) -> None:
        self.environments += environments

    def drop(self, count: int) -> None:
        del self.environments[len(self.environments) - count :]


def test_each_gpu_gets_the_workers_that_pay_on_the_first(
    config: StudyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four workers on one GPU are no faster than two: two stay, and the other GPU has as many."""
    speed = {1: 100.0, 2: 190.0, 4: 200.0}
    executor = Growing(ENVIRONMENTS[0])
    plan = Plan(
        config, "sqlite:///x.db", "x", Limits(100), "cuda", ENVIRONMENTS, finds_workers=True
    )
    found = Probed(1.0, 1, 10**15)
    monkeypatch.setattr(probes, "num_cores", lambda: 16)
    monkeypatch.setattr(probes, "probed", lambda _e, _p, count, _i: (found,) * count)
    monkeypatch.setattr(probes, "load_of", lambda all_: Load(speed[len(all_)], 1, 10**15))
    find_workers(plan, executor, lambda: False, 100)  # type: ignore[arg-type] # what is used
    visible = [one["CUDA_VISIBLE_DEVICES"] for one in executor.environments]
    assert visible == ["0", "0", "1", "1"]


def test_from_twenty_audits_on_the_share_of_wrong_stops_has_an_interval() -> None:
    """Wilson's interval of 1 in 20: 0.9 to 23.6 %."""
    few, line = (_stop_lines(Stops(30, 0.5, audits, 1)) for audits in (19, 20))
    assert len(few) == 1
    assert line[1] == "wrong stops: 5.0 % (95 % interval 0.9 to 23.6 %, from 20 audits)"


def test_the_way_on_keeps_the_time_a_training_may_take(config: StudyConfig) -> None:
    """It is the only limit that neither the study nor the total of trainings holds."""
    plan = Plan(config, "sqlite:///study.db", "attention", Limits(8, 60.0, 5400.0), "cpu", ({},))
    assert " --trials 8 --trial-timeout 5400s --device cpu " in resume_command(plan)
    without = replace(plan, limits=Limits(8))
    assert "--trial-timeout" not in resume_command(without)
