"""The test ledger: the test images open only for an entry that the database holds.

An entry is written before the images are read, what they showed after it. One without a result was
cut short before anybody saw one, and is read again under the same entry.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from space import Refusal

from ..store.damage import WAY_OUT, refuse_other_types, undamaged
from ..store.database import open_engine, refuse_unusable
from ..store.extra_tables import ReadingRow
from ..store.extras import Extra
from ..store.storage import OpenStudy
from ..store.tables import LedgerRow


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """Where an opening of the test images is recorded."""

    storage_url: str
    study_uid: str
    number: int
    dataset: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What the test images showed of one model: accuracy 0 to 1, one bit for each image."""

    number: int
    extra_id: int
    accuracy: float | None  # None: nobody saw one
    correct: bytes | None


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


def open_entry(study: OpenStudy, extra: Extra, reason: str) -> LedgerEntry:
    """Record that the test images are about to be read for a trained model, and return the entry.

    An entry that was cut short before anybody saw its result is taken up again.
    """
    dataset = str(study.settings["dataset"])
    with Session(study.engine) as session:
        unseen = select(ReadingRow.number).where(
            ReadingRow.extra_id == extra.id, ReadingRow.accuracy.is_(None)
        )
        number = session.scalars(unseen).first()
        if number is None:
            row = LedgerRow(
                study_uid=study.uid,
                dataset=dataset,
                digest=extra.digest,
                seed=extra.wanted.seed,
                reason=reason,
                opened_at=datetime.now(UTC),
            )
            session.add(row)
            session.flush()
            number = row.number
            session.add(ReadingRow(number=number, extra_id=extra.id))
            session.commit()
    return LedgerEntry(study.url, study.uid, number, dataset)


def store_reading(study: OpenStudy, entry: LedgerEntry, accuracy: float, correct: bytes) -> None:
    """Store what the images showed."""
    with Session(study.engine) as session:
        session.execute(
            update(ReadingRow)
            .where(ReadingRow.number == entry.number)
            .values(accuracy=accuracy, correct=correct)
        )
        session.commit()


@undamaged("the table of test readings")
def readings(study: OpenStudy) -> tuple[Reading, ...]:
    """Return every reading of the study that showed something, oldest first."""
    query = (
        select(ReadingRow)
        .join(LedgerRow, LedgerRow.number == ReadingRow.number)
        .where(LedgerRow.study_uid == study.uid, ReadingRow.accuracy.is_not(None))
        .order_by(ReadingRow.number)
    )
    with Session(study.engine) as session:
        return tuple(_reading(row) for row in session.scalars(query))


def _reading(row: ReadingRow) -> Reading:
    refuse_other_types(row, ReadingRow)
    if row.accuracy is not None and not 0 <= row.accuracy <= 1:
        raise Refusal(
            f"test reading {row.number} must have an accuracy of 0 to 1, got {row.accuracy}; "
            f"{WAY_OUT}"
        )
    return Reading(row.number, row.extra_id, row.accuracy, row.correct)
