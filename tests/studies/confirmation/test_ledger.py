from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from space import Refusal
from studies import OpenStudy
from studies.confirmation.ledger import (
    LedgerEntry,
    Openings,
    is_recorded,
    openings,
    store_reading,
)
from studies.store.extra_tables import ReadingRow
from studies.store.tables import LedgerRow

DIGEST = "0" * 16


@pytest.fixture
def entry(study: OpenStudy) -> LedgerEntry:
    return LedgerEntry(study.url, study.uid, 3, "cifar10", DIGEST)


def record(study: OpenStudy, number: int) -> None:
    row = LedgerRow(
        number=number,
        study_uid=study.uid,
        dataset="cifar10",
        digest=DIGEST,
        seed=1,
        reason="confirmation",
        opened_at=datetime.now(UTC),
    )
    with Session(study.engine) as session:
        session.add_all([row, ReadingRow(number=number, extra_id=number)])
        session.commit()


def test_nothing_recorded_opens_nothing(entry: LedgerEntry) -> None:
    assert not is_recorded(entry)


def test_a_recorded_entry_opens_for_its_own_study_and_number(
    study: OpenStudy, entry: LedgerEntry
) -> None:
    record(study, 3)
    assert is_recorded(entry)
    assert not is_recorded(replace(entry, study_uid="0" * 32))
    assert not is_recorded(replace(entry, number=4))
    assert not is_recorded(replace(entry, digest="1" * 16))


def test_an_entry_whose_result_is_stored_opens_nothing_again(
    study: OpenStudy, entry: LedgerEntry
) -> None:
    record(study, 3)
    store_reading(study, entry, 0.9, b"")
    assert not is_recorded(entry)


def test_openings_are_counted_with_those_that_showed_nothing(
    study: OpenStudy, entry: LedgerEntry
) -> None:
    assert openings(study).in_words() == "not read"
    for number in (3, 4, 5):
        record(study, number)
    store_reading(study, entry, 0.9, b"")
    assert openings(study) == Openings(3, 3, 2)
    assert openings(study).in_words() == (
        "3 openings of 3 models (2 without a result), by the ledger"
    )


def test_a_missing_database_holds_no_entry(entry: LedgerEntry) -> None:
    with pytest.raises(Refusal, match="no study database at"):
        is_recorded(replace(entry, storage_url="sqlite:///none.db"))
