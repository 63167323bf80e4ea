"""Each answer follows from a record: with the record it is another."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from studies.report import ReportFacts
from studies.report.checklist import QUESTIONS, checklist
from studies.store.sessions import StudySession, Surroundings
from tests.studies.report.confirmations import CONFIRMATION

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def session(hardware: str) -> StudySession:
    here = Surroundings(
        command="search run",
        device="cpu",
        hardware=hardware,
        num_cores=1,
        num_workers=1,
        system="Linux",
        versions={"torch": "2.15"},
    )
    return StudySession(
        surroundings=here, started_at=BEGAN, ended_at=BEGAN + timedelta(hours=2), ending="total"
    )


def answer(facts: ReportFacts, words: str) -> tuple[str, str]:
    (found,) = [one for one in checklist(facts) if words in one.question]
    return found.answer, found.fact


def test_all_sixteen_questions_are_answered_with_a_fact(facts: ReportFacts) -> None:
    found = checklist(facts)
    assert len(found) == len({one.question for one in found}) == len(QUESTIONS) == 16
    assert all(one.fact and one.question.endswith("?") for one in found)


def test_machines_are_equal_where_all_sessions_had_the_same(facts: ReportFacts) -> None:
    assert answer(facts, "hardware")[0] == "no"
    same = replace(facts, sessions=(session("a"), session("a")))
    assert answer(same, "hardware")[0] == "yes"
    assert answer(replace(facts, sessions=(session("a"), session("b"))), "hardware") == (
        "partly",
        "2 different machines or sets of versions, listed above",
    )


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        ("final evaluation", "no", "yes"),
        ("random search", "no", "partly"),
    ],
)
def test_a_confirmation_changes_an_answer(
    facts: ReportFacts, words: str, before: str, after: str
) -> None:
    arms = CONFIRMATION.found.confirmation.arms
    random = arms[1].model_copy(update={"role": "random"})
    plan = CONFIRMATION.found.confirmation.model_copy(update={"arms": (*arms, random)})
    known = replace(CONFIRMATION, found=replace(CONFIRMATION.found, confirmation=plan))
    assert answer(facts, words)[0] == before
    assert answer(replace(facts, confirmations=(known,)), words)[0] == after


def test_half_a_batch_is_another_training(facts: ReportFacts) -> None:
    assert answer(facts, "share data")[0] == "yes"
    halved = replace(facts, spent=replace(facts.spent, num_halved=2))
    found, fact = answer(halved, "share data")
    assert found == "partly"
    assert "memory ran out for 2" in fact


def test_ablations_and_the_whole_time_count_what_was_trained_beside(facts: ReportFacts) -> None:
    assert answer(facts, "ablations")[0] == "no"
    more = replace(facts, spent=replace(facts.spent, extras={"ablation": (4, 7200.0)}))
    assert answer(more, "ablations") == (
        "yes",
        "4 trainings, with and without one placement, or with it moved",
    )
    assert answer(more, "whole method")[1].startswith(
        "30 s of training in the study, 2.0 h beside"
    )


def test_replicates_are_counted_and_one_search_is_one_search(facts: ReportFacts) -> None:
    found, fact = answer(facts, "repeated")
    assert found == "partly"
    assert "1 of its networks were trained more than once, 3 times in all" in fact
