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


def is_recorded(entry: LedgerEntry) -> bool:
    """Say whether the database holds this entry for this study."""
    refuse_unusable(entry.storage_url, must_exist=True)
    engine = open_engine(entry.storage_url)
    try:
        with Session(engine) as session:
            row = session.get(LedgerRow, entry.number)
            return row is not None and row.study_uid == entry.study_uid
    finally:
        engine.dispose()
