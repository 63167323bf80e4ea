"""What the database counts is what reading every training would find."""

from collections import Counter

import pytest

from space import SearchSpace, baselines, plain
from studies import (
    Epoch,
    OpenStudy,
    Outcome,
    add_epoch,
    add_proposal,
    complete,
    counts,
    curves,
    evaluations,
    fail,
    front_of,
    read_front,
    refuse,
    set_audit,
    stop,
    stop_counts,
    stops_of,
    store_front,
    stored_summary,
    summary_of,
)
from studies.store.extra_tables import SummaryRow

NETWORKS = [plain("resnet8")] * 3 + list(baselines(SearchSpace(backbone="resnet8")).values())[:7]
EPOCHS = 6


@pytest.fixture
def ended(study: OpenStudy) -> OpenStudy:
    """Return a study with three plain runs, three others, an audit, a stop, two failures."""
    for number, network in enumerate(NETWORKS):
        row = add_proposal(study, network, trial=number, proposal=number, purpose="trial", seed=1)
        for epoch in range(1, (2 if number == 7 else EPOCHS) + 1):
            add_epoch(study, row.id, 1, Epoch(epoch, 1.0, 1.0, 0.5, 1.0))
        if number == 6:
            set_audit(study, row.id)
        if number < 7:
            outcome = Outcome(0.9 + 0.001 * (number % 4), bytes([number]), 1, 1, 1.0, 1.0)
            complete(study, row.id, 1, outcome)
        elif number == 7:
            stop(study, row.id, 1, "too low")
        else:
            fail(study, row.id, "no memory" if number == 8 else "no disk")
    for purpose in ("reference", "trial"):
        row = add_proposal(study, NETWORKS[0], trial=None, proposal=99, purpose=purpose, seed=1)
        if purpose == "trial":
            refuse(study, row.id, "too dear")
    return study


def test_counts_are_by_purpose_and_state(ended: OpenStudy) -> None:
    found = counts(ended)
    assert found.numbers == Counter((one.purpose, one.state) for one in evaluations(ended))
    assert found.of(state="complete") == 7
    assert found.of(purpose="audit") == 1
    assert found.of(purpose="reference", state="complete") == 0
    assert found.num_ended == 8
    assert found.reasons == (("no memory", 1), ("no disk", 1))  # of equals the first


def test_stops_are_those_of_all_trainings(ended: OpenStudy) -> None:
    known, front = evaluations(ended), read_front(ended)
    digests = [row.digest for row in front.rows]
    expected = stops_of(known, curves(ended), front, EPOCHS)
    assert stop_counts(ended, digests, EPOCHS) == expected
    assert (expected.num_stopped, expected.num_audits) == (1, 1)
    assert expected.saved == pytest.approx(4 / (8 * EPOCHS))


def test_a_study_without_trainings_has_nothing_to_count(study: OpenStudy) -> None:
    assert counts(study).num_ended == 0
    assert stop_counts(study, (), EPOCHS).saved == 0


def test_a_front_is_stored_with_what_it_says(ended: OpenStudy) -> None:
    assert stored_summary(ended) is None
    front = read_front(ended)
    store_front(ended, front)
    assert stored_summary(ended) == summary_of(front)
    assert summary_of(front).num_ended == counts(ended).num_ended
    store_front(ended, front_of((), "resnet8", "macs"))
    assert stored_summary(ended) is None  # no row: nothing to trust


def test_a_study_of_an_older_version_has_no_summary(ended: OpenStudy) -> None:
    store_front(ended, read_front(ended))
    SummaryRow.__table__.drop(ended.engine)  # type: ignore[attr-defined] # a table it is
    assert stored_summary(ended) is None
