from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from space import Refusal
from studies import OpenStudy
from studies.confirmation.ledger import LedgerEntry, is_recorded
from studies.store.tables import LedgerRow


@pytest.fixture
def entry(study: OpenStudy) -> LedgerEntry:
    return LedgerEntry(study.url, study.uid, 3, "cifar10")


def record(study: OpenStudy, number: int) -> None:
    row = LedgerRow(
        number=number,
        study_uid=study.uid,
        dataset="cifar10",
        digest="0" * 16,
        seed=1,
        reason="confirmation",
        opened_at=datetime.now(UTC),
    )
    with Session(study.engine) as session:
        session.add(row)
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


def test_a_missing_database_holds_no_entry(entry: LedgerEntry) -> None:
    with pytest.raises(Refusal, match="no study database at"):
        is_recorded(replace(entry, storage_url="sqlite:///none.db"))
