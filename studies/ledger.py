"""The test ledger: the test images open only for an entry that the database holds."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from .database import open_engine, refuse_unusable
from .tables import LedgerRow


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """Where an opening of the test images is recorded."""

    storage_url: str
    study_uid: str
    number: int
    dataset: str


def is_recorded(entry: LedgerEntry) -> bool:
    """Say whether the database holds this entry for this study and this dataset."""
    refuse_unusable(entry.storage_url, must_exist=True)
    engine = open_engine(entry.storage_url)
    try:
        with Session(engine) as session:
            row = session.get(LedgerRow, entry.number)
            if row is None:
                return False
            return (row.study_uid, row.dataset) == (entry.study_uid, entry.dataset)
    finally:
        engine.dispose()
