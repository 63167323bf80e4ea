"""The test ledger: the test images open only for an entry that the database holds.

An entry is written before the images are read, what they showed after it. One without a result was
cut short before anybody saw one, and is read again under the same entry.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import inspect, select, update
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
    """Where an opening of the test images is recorded, and for which network."""

    storage_url: str
    study_uid: str
    number: int
    dataset: str
    digest: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What the test images showed of one model: accuracy 0 to 1, one bit for each image."""

    number: int
    extra_id: int
    accuracy: float | None  # None: nobody saw one
    correct: bytes | None


@dataclass(frozen=True, slots=True)
class Openings:
    """How often a study opened the test images, by its ledger."""

    number: int
    num_models: int
    num_without_result: int  # cut short before anybody saw one

    def in_words(self) -> str:
        """Return it as `8 openings of 7 models (1 without a result)`."""
        if not self.number:
            return "not read"
        lost = f" ({self.num_without_result} without a result)" * bool(self.num_without_result)
        return (
            f"{self.number} opening{'s' * (self.number > 1)} of {self.num_models} "
            f"model{'s' * (self.num_models > 1)}{lost}, by the ledger"
        )


def is_recorded(entry: LedgerEntry) -> bool:
    """Say whether the database holds this entry, for all that it says, and without a result yet.

    One whose result is stored was used: it opens nothing.
    """
    refuse_unusable(entry.storage_url, must_exist=True)
    engine = open_engine(entry.storage_url)
    try:
        with Session(engine) as session:
            row = session.get(LedgerRow, entry.number)
            has_readings = inspect(engine).has_table(ReadingRow.__tablename__)
            reading = session.get(ReadingRow, entry.number) if has_readings else None
            if row is None or reading is None or reading.accuracy is not None:
                return False
            wanted = (entry.study_uid, entry.dataset, entry.digest)
            return (row.study_uid, row.dataset, row.digest) == wanted
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
    return LedgerEntry(study.url, study.uid, number, dataset, extra.digest)


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


def openings(study: OpenStudy) -> Openings:
    """Return how often the study opened the test images; reads only."""
    entries = select(LedgerRow.number, LedgerRow.digest, LedgerRow.seed).where(
        LedgerRow.study_uid == study.uid
    )
    readers = select(ReadingRow.number, ReadingRow.extra_id, ReadingRow.accuracy)
    with Session(study.engine) as session:
        opened = list(session.execute(entries))
        has_readings = inspect(study.engine).has_table(ReadingRow.__tablename__)
        found = {row.number: row for row in session.execute(readers)} if has_readings else {}
    models: set[object] = set()
    for one in opened:
        reading = found.get(one.number)
        models.add((one.digest, one.seed) if reading is None else reading.extra_id)
    seen = sum(one.number in found and found[one.number].accuracy is not None for one in opened)
    return Openings(len(opened), len(models), len(opened) - seen)
