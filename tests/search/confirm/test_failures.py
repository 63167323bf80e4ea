"""What fails again and again is left out before any reading, is said, and blocks nothing else."""

from collections.abc import Callable

import pytest

from search.cli import run_command
from search.executors import Job
from space import Architecture
from studies import OpenStudy, Outcome, open_existing
from studies.confirmation.ledger import readings
from studies.store.extras import Wanted, asked_for, complete_extra, fail_extra
from tests.search.confirm.faked import ASK, FAILS, FEW, Reader, as_json


def is_deeper(job: Job) -> bool:
    return Architecture.from_json(job.architecture).backbone == "resnet14"


def is_plain(job: Job) -> bool:
    return Architecture.from_json(job.architecture) == Architecture.model_validate(
        {"backbone": "resnet8", "stages": [[], [], []]}
    )


def is_fresh(job: Job) -> bool:
    return not job.with_validation


def first_of(which: Callable[[Job], bool]) -> Callable[[Job], bool]:
    """Return what fails the first of these seeds that it meets, and that one always."""
    seeds: list[int] = []

    def fails(job: Job) -> bool:
        if which(job) and not seeds:
            seeds.append(job.seed)
        return which(job) and job.seed in seeds

    return fails


def arms_of(found: dict[str, object]) -> dict[str, dict[str, object]]:
    arms = found["arms"]
    assert isinstance(arms, list)
    return {one["role"]: one for one in arms}


def test_a_network_that_always_fails_is_left_out_after_two_calls_and_the_rest_is_read(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    FAILS.append(is_deeper)
    assert run_command(ASK) == 1
    assert "the test images stay closed: 2 of " in capsys.readouterr().out
    assert reader.count == 0
    assert run_command(ASK) == 1
    shown = capsys.readouterr().out
    assert "resnet14: 2 of 2 trainings failed; left out, with fewer than 2 that ended" in shown
    assert "test images read once for each model" in shown
    count = reader.count
    FAILS.clear()  # what was given up before a reading is not tried after it
    assert run_command([*ASK, "--format", "json"]) == 1
    arms = arms_of(as_json(capsys))
    assert [role for role, one in arms.items() if one["is_left_out"]] == ["deeper"]
    assert arms["deeper"]["accuracies"] == []
    assert arms["finalist"]["gain"] is not None
    assert run_command([*ASK, "--again"]) == 1
    assert reader.count == 2 * count


@pytest.mark.slow
def test_one_with_two_seeds_that_ended_goes_on_with_these(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [*FEW, "--seeds", "3"]
    FAILS.append(first_of(is_deeper))
    assert run_command(asked) == 1
    assert reader.count == 0
    assert run_command(asked) == 1
    shown = capsys.readouterr().out
    assert "resnet14: 1 of 3 trainings failed\n" in shown
    assert run_command([*asked, "--format", "json"]) == 1
    deeper = arms_of(as_json(capsys))["deeper"]
    accuracies = deeper["accuracies"]
    assert isinstance(accuracies, list)
    assert len(accuracies) == 2
    assert deeper["gain"] is not None
    assert not deeper["is_left_out"]


@pytest.mark.slow
def test_without_plain_nothing_is_read_and_it_is_tried_again(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    FAILS.append(lambda job: is_plain(job) and job.with_validation)
    for _ in range(2):
        assert run_command(ASK) == 1
    assert "too few trainings of the plain network ended" in capsys.readouterr().out
    assert reader.count == 0
    FAILS.clear()
    assert run_command(ASK) == 0
    assert reader.count > 0


def test_a_fresh_training_that_failed_is_said_and_ends_with_1(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    FAILS.append(first_of(is_fresh))
    assert run_command(ASK) == 1
    shown = capsys.readouterr().out
    assert ": 1 of 2 fresh trainings failed" in shown
    assert "points more than 1 fresh run (of 2 asked for) of its own protocol show" in shown
    assert reader.count > 0  # nothing of it depends on fresh trainings
    assert run_command([*ASK, "--format", "json"]) == 1
    found = as_json(capsys)
    optimism = found["optimism"]
    assert isinstance(optimism, dict)
    assert optimism["num_runs"] == 1
    assert arms_of(found)["finalist"]["num_fresh_failed"] == 1
    FAILS.clear()  # it failed in two calls
    assert run_command([*ASK, "--format", "json"]) == 1
    assert as_json(capsys) == found


@pytest.mark.usefixtures("reader")
def test_a_training_that_ended_well_once_is_never_given_up() -> None:
    """Its weights are lost, and it fails when it is trained anew: the images stay closed."""
    study: OpenStudy = open_existing("sqlite:///study.db", "attention")
    (one,) = asked_for(study, [Wanted("confirm", Architecture.model_validate(
        {"backbone": "resnet8", "stages": [[], [], []]}), 1, "p")])  # fmt: skip
    failed = [fail_extra(study, one, "out of memory").is_given_up for _ in range(2)]
    assert failed == [False, True]
    complete_extra(study, one, Outcome(0.7, b"\xf0", 1, 1, 2.0, 100.0))
    assert not fail_extra(study, one, "its weights are gone").is_given_up
    assert readings(study) == ()
