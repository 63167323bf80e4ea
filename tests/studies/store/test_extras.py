"""Trainings beside a study's total: asked for once, stored once, never part of the front."""

import pytest
from sqlalchemy import inspect

from space import SearchSpace, baselines, plain
from studies import OpenStudy, Outcome, evaluations
from studies.confirmation.comparison import Arm, Claim, Confirmation
from studies.confirmation.ledger import is_recorded, open_entry, readings, store_reading
from studies.confirmation.stored import (
    confirmations,
    confirmed,
    known_trainings,
    look_of,
    stored_confirmation,
    trainings_of,
)
from studies.estimates.posterior import Noise
from studies.store.extra_tables import ExtraRow
from studies.store.extras import Extra, Wanted, asked_for, complete_extra, fail_extra, known_extras
from studies.store.tables import Table

PLAIN = plain("resnet8")
SE = baselines(SearchSpace(backbone="resnet8"))["se"]
TWO = (Wanted("confirm", PLAIN, 1, "p"), Wanted("confirm", SE, 1, "p"))
OUTCOME = Outcome(0.7, b"\xf0", 1, 1, 2.0, 100.0)
NOISE = Noise(0.01, 4)


def test_asking_twice_is_asking_once(study: OpenStudy) -> None:
    first = asked_for(study, TWO)
    assert [one.wanted for one in first] == list(TWO)
    assert asked_for(study, TWO) == first
    others = (
        Wanted("confirm", SE, 2, "p"),
        Wanted("fresh", SE, 1, "p"),
        Wanted("confirm", SE, 1, "q"),
    )
    assert {one.id for one in asked_for(study, others)}.isdisjoint({one.id for one in first})


def test_what_is_complete_stays_and_what_failed_is_asked_for_again(study: OpenStudy) -> None:
    first, second = asked_for(study, TWO)
    done = complete_extra(study, first, OUTCOME)
    assert (done.state, done.accuracy, done.correct, done.seconds) == (
        "complete",
        0.7,
        b"\xf0",
        2.0,
    )
    failed = fail_extra(study, second, "out of memory")
    assert (failed.state, failed.reason) == ("failed", "out of memory")
    assert known_extras(study, TWO) == (done, failed)
    assert [one.state for one in asked_for(study, TWO)] == ["complete", "waiting"]


def test_looking_writes_nothing_and_an_older_file_lacks_the_tables(study: OpenStudy) -> None:
    Table.metadata.drop_all(study.engine, [ExtraRow.__table__])  # type: ignore[list-item]
    assert [(one.id, one.state) for one in known_extras(study, TWO)] == [(0, "waiting")] * 2
    assert not inspect(study.engine).has_table("attention_extra_trainings")
    assert len(asked_for(study, TWO)) == 2


def test_extras_are_no_evaluations_of_the_study(study: OpenStudy) -> None:
    for one in asked_for(study, TWO):
        complete_extra(study, one, OUTCOME)
    assert evaluations(study) == ()


def test_an_entry_that_showed_nothing_is_taken_up_again(study: OpenStudy) -> None:
    (model, _) = asked_for(study, TWO)
    entry = open_entry(study, model, "confirm")
    assert is_recorded(entry)
    assert readings(study) == ()
    assert open_entry(study, model, "confirm") == entry
    store_reading(study, entry, 0.9, b"\x0f")
    assert not is_recorded(entry)  # used
    assert open_entry(study, model, "confirm").number == entry.number + 1
    (reading,) = readings(study)
    assert (reading.extra_id, reading.accuracy, reading.correct) == (model.id, 0.9, b"\x0f")


PLAN = Confirmation(
    epochs=3,
    num_images=100,
    protocol_digest="p",
    own_digest="q",
    fresh_seeds=(9,),
    arms=(
        Arm(role="plain", architecture=PLAIN, seeds=(1, 2, 3)),
        Arm(role="finalist", architecture=SE, seeds=(4, 5)),
    ),
)


def read_all(study: OpenStudy, accuracies: dict[int, float]) -> None:
    """Complete every training of the plan and read it, by seed."""
    found = trainings_of(study, PLAN)
    for one in found.confirm:
        complete_extra(study, one, OUTCOME)
        entry = open_entry(study, one, "confirm")
        store_reading(study, entry, accuracies[one.wanted.seed], b"")


def test_a_seed_of_every_arm_comes_before_the_next_seed(study: OpenStudy) -> None:
    found = known_trainings(study, PLAN)
    assert [one.wanted.seed for one in found.confirm] == [1, 4, 2, 5, 3]
    assert [(one.wanted.seed, one.wanted.protocol_digest) for one in found.fresh] == [(9, "q")]


def test_the_result_is_of_the_last_readings_and_says_how_many_there_were(study: OpenStudy) -> None:
    known = {1: 0.50, 2: 0.52, 3: 0.51, 4: 0.60, 5: 0.62}
    stored = stored_confirmation(study, PLAN)
    read_all(study, known)
    first = confirmed(study, stored, NOISE)
    assert first.num_readings == 1
    assert [one.accuracies for one in first.arms] == [(0.50, 0.52, 0.51), (0.60, 0.62)]
    assert first.arms[0].gain is None
    assert first.arms[1].gain is not None
    assert first.arms[1].gain.value == pytest.approx(0.1)
    read_all(study, {seed: one + 0.1 for seed, one in known.items()})
    again = confirmed(study, stored, NOISE)
    assert again.num_readings == 2
    assert again.arms[1].mean == pytest.approx(0.71)


def test_a_look_after_another_at_the_same_models_is_the_second(study: OpenStudy) -> None:
    more = PLAN.model_copy(
        update={"arms": (PLAN.arms[0], PLAN.arms[1].model_copy(update={"seeds": (4, 5, 6)}))}
    )
    others = [arm.model_copy(update={"seeds": (7, 8)}) for arm in PLAN.arms]
    apart = PLAN.model_copy(update={"arms": tuple(others)})
    for one in (PLAN, more, apart):
        stored_confirmation(study, one)
    assert look_of(study, more) == 1  # nobody has looked yet
    read_all(study, dict.fromkeys((1, 2, 3, 4, 5), 0.5))
    assert [look_of(study, one) for one in (PLAN, more, apart)] == [1, 2, 1]


def test_the_same_question_finds_the_claims_of_then(study: OpenStudy) -> None:
    assert confirmations(study) == ()
    claim = Claim(accuracy=0.5, standard_error=None, gain=None, gain_error=None, num_evaluations=1)
    claimed = PLAN.arms[1].model_copy(update={"claim": claim})
    first = PLAN.model_copy(update={"arms": (PLAN.arms[0], claimed)})
    assert stored_confirmation(study, first) == first
    assert stored_confirmation(study, PLAN) == first
    assert confirmations(study) == (first,)


def test_a_failed_training_is_counted_with_its_arm(study: OpenStudy) -> None:
    plan = stored_confirmation(study, PLAN)
    one: Extra = trainings_of(study, plan).confirm[1]
    fail_extra(study, one, "out of memory")
    assert [arm.num_failed for arm in confirmed(study, plan, NOISE).arms] == [0, 1]
