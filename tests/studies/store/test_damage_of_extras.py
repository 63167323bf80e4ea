"""Damaged rows of what is trained and read beside a study are refused by table and value."""

import pytest

from space import Refusal, plain
from studies import OpenStudy
from studies.confirmation.comparison import Arm, Confirmation
from studies.confirmation.ledger import open_entry, readings, store_reading
from studies.confirmation.stored import (
    confirmations,
    known_trainings,
    latency_ratios,
    store_latency_ratios,
    stored_confirmation,
    trainings_of,
)
from studies.store.extras import complete_extra
from studies.store.records import Outcome
from studies.store.sessions import begin_session, sessions
from tests.studies.store.test_damage import url, write
from tests.studies.store.test_sessions import HERE

__all__ = ["url"]  # a file's: a server keeps its columns to their types
PLAN = Confirmation(
    epochs=3,
    num_images=100,
    protocol_digest="p",
    own_digest="q",
    fresh_seeds=(),
    arms=(Arm(role="plain", architecture=plain("resnet8"), seeds=(1,)),),
)


@pytest.fixture
def confirmed_study(study: OpenStudy) -> OpenStudy:
    """Return a study with a confirmation of one network, read once, and a session."""
    begin_session(study, HERE)
    stored_confirmation(study, PLAN)
    store_latency_ratios(study, PLAN, [1.0])
    (one,) = trainings_of(study, PLAN).confirm
    complete_extra(study, one, Outcome(0.5, b"\xf0", 12, 34, 5.5, 678.0))
    store_reading(study, open_entry(study, one, "confirm"), 0.5, b"\xf0")
    return study


def read_all(study: OpenStudy) -> None:
    """Read what a report reads."""
    sessions(study)
    readings(study)
    for plan in confirmations(study):
        latency_ratios(study, plan)
        known_trainings(study, plan)


def test_what_is_whole_is_read(confirmed_study: OpenStudy) -> None:
    read_all(confirmed_study)
    assert latency_ratios(confirmed_study, PLAN) == (1.0,)


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("confirmations.latency_ratios", "x", "table of confirmations cannot be read: Expecting"),
        ("confirmations.latency_ratios", "{}", "a number for each of 1 networks"),
        ("confirmations.latency_ratios", "[null]", "table of confirmations cannot be read: "),
        ("confirmations.document", "{}", "table of confirmations cannot be read: "),
        ("sessions.document", "{}", "table of sessions cannot be read: "),
        ("sessions.started_at", "x", "table of sessions cannot be read: "),
        ("extra_trainings.accuracy", "x", "extra_trainings.accuracy must be float, got 'x'"),
        ("extra_trainings.accuracy", 7.0, "extra training 1 must be one of ours, got .* 7.0"),
        ("extra_trainings.state", "x", "extra training 1 must be one of ours, got .* is x"),
        ("extra_trainings.architecture", "{", "document: Invalid JSON"),
        ("test_readings.accuracy", "x", "test_readings.accuracy must be float, got 'x'"),
        ("test_readings.accuracy", 7.0, "test reading 1 must have an accuracy of 0 to 1"),
    ],
)
def test_a_damaged_row_is_refused(
    column: str, value: object, rule: str, confirmed_study: OpenStudy
) -> None:
    table, name = column.split(".")
    write(confirmed_study, f"update attention_{table} set {name} = ?", value)
    with pytest.raises(Refusal, match=rule) as refusal:
        read_all(confirmed_study)
    assert len(str(refusal.value).splitlines()) == 1
