import math
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from space import SearchSpace, baselines, cost, digest, placements_in_words, plain
from studies import (
    Attempt,
    Epoch,
    Evaluation,
    OpenStudy,
    Outcome,
    add_epoch,
    add_proposal,
    attempts,
    complete,
    completed,
    create_or_open,
    curves,
    epochs,
    evaluations,
    fail,
    front_of,
    gates,
    refuse,
    set_audit,
    set_waiting,
    start_attempt,
    stop,
    store_front,
)
from studies.store.records import Purpose, State
from studies.store.tables import EvaluationRow, FrontRow, GatesRow

PLAIN, USUAL = plain("resnet8"), baselines(SearchSpace(backbone="resnet8"))
OUTCOME = Outcome(0.875, b"\xfe", 12, 34, 5.5, 678.0)
ENDED_WITHOUT = ("accuracy", "correct", "seconds", "images_per_second")


def propose(study: OpenStudy, number: int = 0, purpose: Purpose = "trial") -> Evaluation:
    trial = None if purpose == "reference" else number
    return add_proposal(
        study, PLAIN, trial=trial, proposal=number, purpose=purpose, seed=100 + number
    )


def stored(study: OpenStudy, evaluation_id: int) -> Evaluation:
    return next(one for one in evaluations(study) if one.id == evaluation_id)


def finished_at(study: OpenStudy, evaluation_id: int) -> datetime | None:
    with Session(study.engine) as session:
        return session.execute(
            select(EvaluationRow.finished_at).where(EvaluationRow.id == evaluation_id)
        ).scalar_one()


def test_an_attempt_that_begins_again_forgets_its_epochs(study: OpenStudy) -> None:
    row = add_proposal(study, PLAIN, trial=0, proposal=0, purpose="trial", seed=1)
    for number in (1, 2, 3):
        add_epoch(study, row.id, 1, Epoch(number, 1.0, 1.0, 0.5, 1.0))
    start_attempt(study, Attempt(row.id, 1, 50, 0.1), "digest")
    assert curves(study).get(row.id, []) == []


def test_a_proposal_is_stored_as_it_was_returned(study: OpenStudy) -> None:
    row = add_proposal(study, USUAL["se"], trial=3, proposal=7, purpose="replicate", seed=11)
    assert evaluations(study) == (row,)
    assert (row.trial, row.proposal, row.purpose, row.seed) == (3, 7, "replicate", 11)
    assert (row.state, row.attempt, row.is_final) == ("proposed", 1, False)
    assert row.architecture == USUAL["se"]
    assert row.cost == cost(USUAL["se"])
    assert row.digest == digest(USUAL["se"])
    assert all(getattr(row, name) is None for name in (*ENDED_WITHOUT, "reason"))


def test_a_proposal_carries_the_protocol_it_runs_under(study: OpenStudy) -> None:
    propose(study)
    with Session(study.engine) as session:
        found = session.execute(select(EvaluationRow.protocol_digest)).scalar_one()
    assert found == study.settings["protocol_digest"]


def test_gates_are_stored_with_the_outcome_and_read_back(study: OpenStudy) -> None:
    first, second = propose(study, 0), propose(study, 1)
    facts: dict[str, dict[str, Any]] = {
        "stage1.end.0": {"gain": 0.25, "gates": {"gate": {"form": "vector", "mean": 0.5}}},
        "stage2.end.0": {"gain": None, "gates": {}},
    }
    complete(study, first.id, 1, replace(OUTCOME, gates=facts))
    complete(study, second.id, 1, OUTCOME)
    assert gates(study, first) == facts
    assert gates(study, second) == {}
    with Session(study.engine) as session:
        gains = session.execute(select(GatesRow.module, GatesRow.gain).order_by(GatesRow.module))
        assert list(map(tuple, gains)) == [("stage1.end.0", 0.25), ("stage2.end.0", None)]


def test_gates_that_are_no_json_leave_the_run_unfinished(study: OpenStudy) -> None:
    row = propose(study)
    with pytest.raises(ValueError, match="JSON"):
        complete(study, row.id, 1, replace(OUTCOME, gates={"stage1.end.0": {"gain": math.nan}}))
    assert not stored(study, row.id).is_final


def test_evaluations_come_in_the_order_of_proposals(study: OpenStudy) -> None:
    for number in range(4):
        propose(study, number)
    assert [one.proposal for one in evaluations(study)] == [0, 1, 2, 3]


def test_a_state_and_its_attempt_are_stored_together(study: OpenStudy) -> None:
    rows = [propose(study, 0), propose(study, 1)]
    set_waiting(study, rows[0].id, 2)
    found = stored(study, rows[0].id)
    assert (found.state, found.attempt, found.is_final) == ("proposed", 2, False)
    assert stored(study, rows[1].id) == rows[1]  # the other row stays


def test_an_outcome_is_stored_whole(study: OpenStudy) -> None:
    row = propose(study)
    assert finished_at(study, row.id) is None
    complete(study, row.id, 1, OUTCOME)
    found = stored(study, row.id)
    assert found.state == "complete"
    assert found.is_final
    assert [getattr(found, name) for name in ENDED_WITHOUT] == [0.875, b"\xfe", 5.5, 678.0]
    assert finished_at(study, row.id) is not None


@pytest.mark.parametrize(("end", "state"), [(fail, "failed"), (refuse, "refused")])
def test_an_end_without_an_outcome_has_a_reason(
    end: Callable[[OpenStudy, int, str], None], state: str, study: OpenStudy
) -> None:
    row = propose(study)
    end(study, row.id, "the loss became nan")
    found = stored(study, row.id)
    assert (found.state, found.reason) == (state, "the loss became nan")
    assert found.is_final
    assert all(getattr(found, name) is None for name in ENDED_WITHOUT)
    assert finished_at(study, row.id) is not None


def test_a_reason_that_is_no_text_is_stored_as_far_as_it_is(study: OpenStudy) -> None:
    row = propose(study)
    fail(study, row.id, "killed by \0 and \udcff")
    assert stored(study, row.id).reason == "killed by ? and ?"


def test_a_stopped_run_keeps_its_epochs_and_the_reason(study: OpenStudy) -> None:
    row = propose(study)
    start_attempt(study, Attempt(row.id, 1, 50, 0.1), "digest")
    add_epoch(study, row.id, 1, Epoch(1, 2.0, 2.0, 0.1, 1.0))
    stop(study, row.id, 1, "after epoch 1: it is hopeless")
    found = stored(study, row.id)
    assert (found.state, found.reason) == ("stopped", "after epoch 1: it is hopeless")
    assert found.is_final
    assert all(getattr(found, name) is None for name in ENDED_WITHOUT)
    assert finished_at(study, row.id) is not None
    assert [one.ending for one in attempts(study)] == ["stopped"]
    assert len(epochs(study, found)) == 1


def test_an_audit_is_stored_and_goes_on(study: OpenStudy) -> None:
    row, other = propose(study, 0), propose(study, 1)
    set_audit(study, row.id)
    assert stored(study, row.id) == replace(row, purpose="audit")
    assert stored(study, other.id) == other
    complete(study, row.id, 1, OUTCOME)
    assert [one.id for one in completed(evaluations(study))] == [row.id]


@pytest.mark.parametrize(
    ("state", "purpose", "expected"),
    [
        ("complete", "trial", True),
        ("complete", "replicate", True),
        ("complete", "audit", True),
        ("stopped", "trial", True),
        ("complete", "reference", False),
        ("failed", "trial", False),
        ("refused", "trial", False),
        ("running", "audit", False),
        ("proposed", "trial", False),
    ],
)
def test_what_counts_for_the_total_is_complete_or_stopped(
    state: State, purpose: Purpose, expected: bool, make_evaluation: Callable[..., Evaluation]
) -> None:
    assert make_evaluation(PLAIN, 0.9, state=state, purpose=purpose).counts == expected


def test_all_curves_are_those_of_the_last_attempts(study: OpenStudy) -> None:
    other = create_or_open(study.url, "other", study.settings)
    rows = [propose(study, 0), propose(study, 1), propose(study, 2)]
    foreign = propose(other, 0)
    known = [Epoch(number, 2 / number, 3 / number, number / 10, 1.5) for number in (1, 2, 3)]
    for one in reversed(known):
        add_epoch(study, rows[0].id, 1, one)
    add_epoch(study, rows[1].id, 1, known[0])
    set_waiting(study, rows[1].id, 2)
    add_epoch(study, rows[1].id, 2, known[1])
    add_epoch(other, foreign.id, 1, known[0])
    assert curves(study) == {rows[0].id: known, rows[1].id: [known[1]]}


def test_epochs_come_back_in_their_order(study: OpenStudy) -> None:
    row = propose(study)
    known = [Epoch(number, 2 / number, 3 / number, number / 10, 1.5) for number in (1, 2, 3)]
    for one in reversed(known):
        add_epoch(study, row.id, 1, one)
    assert epochs(study, row) == tuple(known)


def test_only_the_epochs_of_the_last_attempt_count(study: OpenStudy) -> None:
    row, other = propose(study, 0), propose(study, 1)
    first, second = Epoch(1, 2.0, 2.0, 0.1, 1.0), Epoch(1, 1.0, 1.0, 0.2, 1.0)
    add_epoch(study, row.id, 1, first)
    add_epoch(study, row.id, 1, Epoch(2, 0.5, 0.5, 0.3, 1.0))
    add_epoch(study, other.id, 2, first)
    set_waiting(study, row.id, 2)
    assert epochs(study, stored(study, row.id)) == ()
    add_epoch(study, row.id, 2, second)
    assert epochs(study, stored(study, row.id)) == (second,)


def test_an_epoch_told_twice_is_stored_once(study: OpenStudy) -> None:
    row = propose(study)
    for accuracy in (0.1, 0.2):
        add_epoch(study, row.id, 1, Epoch(1, 2.0, 2.0, accuracy, 1.0))
    assert [one.accuracy for one in epochs(study, row)] == [0.2]


def test_completed_leaves_references_and_unfinished_runs_out(study: OpenStudy) -> None:
    rows = [
        propose(study, 0),
        propose(study, 1, "replicate"),
        propose(study, 2, "reference"),
        propose(study, 3),
        propose(study, 4),
    ]
    for row in rows[:3]:
        complete(study, row.id, 1, OUTCOME)
    fail(study, rows[3].id, "out of memory")
    assert [one.proposal for one in completed(evaluations(study))] == [0, 1]


def front_rows(study: OpenStudy) -> list[FrontRow]:
    with Session(study.engine) as session:
        return list(session.scalars(select(FrontRow).order_by(FrontRow.rank)))


def test_the_stored_front_is_the_computed_one(
    study: OpenStudy, make_evaluation: Callable[..., Evaluation]
) -> None:
    runs = [(PLAIN, 0.9), (PLAIN, 0.902), (USUAL["se"], 0.93), (USUAL["gam"], 0.96)]
    front = front_of([make_evaluation(*one) for one in runs], "resnet8", "macs")
    store_front(study, front)
    assert len(front.rows) == 3
    for rank, (row, point) in enumerate(zip(front_rows(study), front.rows, strict=True), 1):
        known = asdict(point.estimate) | asdict(point.cost)
        assert (row.study_uid, row.rank, row.trial) == (study.uid, rank, point.trial)
        assert row.estimate == known["accuracy"]
        for name in ("standard_error", "num_evaluations", "raw_mean", "macs", "params"):
            assert getattr(row, name) == known[name]
        assert (row.digest, row.architecture) == (point.digest, point.architecture.to_json())
        assert row.placements == placements_in_words(point.architecture)


def test_storing_a_front_replaces_the_studys_rows_only(
    study: OpenStudy, make_evaluation: Callable[..., Evaluation]
) -> None:
    other = create_or_open(study.url, "other", study.settings)
    large = front_of(
        [make_evaluation(PLAIN, 0.9), make_evaluation(USUAL["se"], 0.93)], "resnet8", "macs"
    )
    small = front_of([make_evaluation(PLAIN, 0.9)], "resnet8", "macs")
    store_front(study, large)
    store_front(other, large)
    store_front(study, small)
    uids = sorted(row.study_uid for row in front_rows(study))
    assert uids == sorted([study.uid, other.uid, other.uid])
    assert [row.standard_error for row in front_rows(study)] == [None] * 3  # no replicate yet
