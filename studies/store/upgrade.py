"""The version of our tables in a database: a newer one is refused, an older one is upgraded."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from sqlalchemy import Engine, inspect, select, update
from sqlalchemy.orm import Session

from space import Refusal

from . import migrations, tables
from .backup import back_up
from .damage import WAY_OUT
from .database import open_engine
from .tables import StudyRow
from .urls import Database, database_of

Lock = Callable[[str, str], AbstractContextManager[None]]  # of a study, by URL and name
Version = tuple[int, str]  # of the tables, as the study of this name has it


def upgrade(url: str, lock: Lock, *, held: str | None = None) -> None:
    """Bring an older version's tables up to date, after a copy of the file as it was.

    Every study of the file is locked for it but the one whose lock the caller holds.

    Raises:
        Refusal: a newer version made them, somebody runs a study, or no copy can be made.
    """
    found = database_of(url)
    if found.file is not None and not found.file.exists():
        return
    engine = open_engine(url)
    try:
        versions = table_versions(engine)
        refuse_newer(versions)
        if versions and min(versions)[0] < tables.SCHEMA_VERSION:
            with _all_locked(url, versions, lock, held):
                _upgrade(engine, found)
    finally:
        engine.dispose()


def table_versions(engine: Engine) -> list[Version]:
    """Return the version that each study of ours has in the database, and its name."""
    if not inspect(engine).has_table(StudyRow.__tablename__):
        return []
    with Session(engine) as session:
        found = list(session.execute(select(StudyRow.schema_version, StudyRow.name)))
    for version, _ in found:
        if not isinstance(version, int):  # SQLite keeps anything
            raise Refusal(f"schema_version must be int, got {version!r:.40}; {WAY_OUT}")
    return [(version, name) for version, name in found]


def refuse_newer(versions: Sequence[Version]) -> None:
    """Refuse tables of a newer version of this program: only that knows what they mean."""
    newest, name = max(versions, default=(0, ""))
    if newest > tables.SCHEMA_VERSION:
        raise Refusal(
            f"study {name} was made by a newer version; update this program (its tables are of "
            f"version {newest}, and this program knows {tables.SCHEMA_VERSION})"
        )


@contextmanager
def _all_locked(
    url: str, versions: Sequence[Version], lock: Lock, held: str | None
) -> Iterator[None]:
    with ExitStack() as locks:
        for name in sorted({name for _, name in versions} - {held}):
            try:
                locks.enter_context(lock(url, name))
            except Refusal as error:
                raise Refusal(
                    f"{database_of(url).label} must be upgraded to version "
                    f"{tables.SCHEMA_VERSION} while nobody writes, got: {error}"
                ) from error
        yield


def _upgrade(engine: Engine, found: Database) -> None:
    """Alter the tables in one transaction: a crash leaves them as they were.

    A file is copied before; copies of a server's database are its keeper's.
    """
    wanted = tables.SCHEMA_VERSION
    kept = None
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Python's sqlite3 begins no transaction before it alters a table.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        query = select(StudyRow.schema_version).order_by(StudyRow.schema_version)
        version = connection.scalars(query).first()
        if version is None or version == wanted:
            return  # another process was quicker
        if found.file is not None:
            kept = found.file.with_name(f"{found.file.name}.before-v{wanted}")
            back_up(found.file, kept, overwrite=True)  # a crash's is older than what is there now
        for number in range(version + 1, wanted + 1):
            migrations.MIGRATIONS[number](connection)
        connection.execute(update(StudyRow).values(schema_version=wanted))
        connection.commit()
    # Without handlers Python shows a warning on stderr as it is: what commands print stays theirs.
    logging.getLogger(__name__).warning(
        "upgraded %s from version %d to %d; as it was: %s",
        found.label,
        version,
        wanted,
        kept or "in the server's own copies",
    )
