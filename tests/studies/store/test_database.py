from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import DatabaseError

from space import Refusal
from studies import (
    OpenStudy,
    create_or_open,
    database_of,
    database_path,
    open_existing,
    storage_problem,
)
from studies.store.database import BUSY_SECONDS, open_engine, open_storage
from studies.store.schema import Table, create_tables

COLUMNS = {
    "attention_studies": ["study_uid", "name", "schema_version", "settings", "created_at"],
    "attention_evaluations": [
        *("id", "study_uid", "trial", "proposal", "purpose", "digest", "architecture", "seed"),
        *("protocol_digest", "macs", "params", "state", "attempt", "reason", "accuracy"),
        *("correct", "seconds", "images_per_second", "finished_at"),
    ],
    "attention_epochs": [
        *("evaluation_id", "attempt", "epoch", "train_loss", "validation_loss", "accuracy"),
        "seconds",
    ],
    "attention_attempts": [
        *("evaluation_id", "attempt", "batch_size", "learning_rate", "ending"),
        *("waiting_seconds", "start_up_seconds", "training_seconds", "validation_seconds"),
        "closing_seconds",
    ],
    "attention_gates": ["evaluation_id", "module", "gain", "statistics"],
    "pareto_front": [
        *("study_uid", "rank", "trial", "placements", "estimate", "standard_error"),
        *("num_evaluations", "raw_mean", "macs", "params", "digest", "architecture"),
    ],
    "attention_test_ledger": [
        *("number", "study_uid", "dataset", "digest", "seed", "reason", "opened_at"),
    ],
    "attention_extra_trainings": [
        *("id", "study_uid", "purpose", "protocol_digest", "digest", "architecture", "seed"),
        *("state", "reason", "accuracy", "correct", "seconds", "finished_at"),
    ],
    "attention_extra_failures": ["id", "extra_id", "reason", "failed_at"],
    "attention_test_readings": ["number", "extra_id", "accuracy", "correct"],
    "attention_confirmations": [
        *("id", "study_uid", "key", "document", "latency_ratios", "created_at"),
    ],
    "attention_front_summaries": [
        *("study_uid", "num_ended", "num_points", "noise_sd", "noise_freedom", "verdict"),
    ],
    "attention_sessions": ["id", "study_uid", "document", "started_at", "ended_at", "ending"],
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return that of a file: what follows is about files."""
    return f"sqlite:///{tmp_path / 'study.db'}"


def pragma(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.execute(text(f"PRAGMA {name}")).scalar_one()


def problem(action: Callable[[Connection], object], url: str) -> str:
    """Return what a user reads when the action fails, behind an error of Optuna's as in life."""
    engine = create_engine(url, connect_args={"timeout": 0})
    with engine.connect() as connection, pytest.raises(DatabaseError) as caught:
        action(connection)
    engine.dispose()
    wrapped = StorageInternalError("an exception is raised during the commit")
    wrapped.__cause__ = caught.value
    assert storage_problem(caught.value) == storage_problem(wrapped)
    return storage_problem(wrapped)


def test_stored_tables_and_columns_keep_their_names(study: OpenStudy) -> None:
    found = inspect(study.engine)
    assert set(Table.metadata.tables) == set(COLUMNS)
    for name, columns in COLUMNS.items():
        assert [one["name"] for one in found.get_columns(name)] == columns


def test_our_tables_have_no_foreign_keys(study: OpenStudy) -> None:
    found = inspect(study.engine)
    for name in COLUMNS:
        assert found.has_table(name)
        assert found.get_foreign_keys(name) == []


def test_optunas_own_version_is_left_alone(url: str, tmp_path: Path) -> None:
    versions = []
    other = f"sqlite:///{tmp_path / 'other.db'}"
    optuna.create_study(storage=other)
    open_storage(url, must_exist=False)
    for one in (other, url):
        with create_engine(one).connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version"))
            versions.append(list(found.scalars()))
    assert versions[0] == versions[1]


def test_every_connection_writes_ahead_and_waits_for_locks(url: str) -> None:
    theirs = open_storage(url, must_exist=False)
    for engine in (open_engine(url), theirs.engine):
        assert pragma(engine, "journal_mode") == "wal"
        assert pragma(engine, "busy_timeout") == 1000 * BUSY_SECONDS
        assert pragma(engine, "synchronous") == 1  # NORMAL


def test_a_missing_database_is_refused_and_not_created(url: str) -> None:
    with pytest.raises(Refusal, match=r"no study database at .*study\.db; `search run"):
        open_existing(url, "attention")
    assert not database_path(url).exists()


@pytest.mark.parametrize("content", ["not a database", "<html></html>"])
def test_a_file_that_is_no_database_is_refused_and_kept(
    content: str, url: str, tmp_path: Path
) -> None:
    (tmp_path / "study.db").write_text(content)
    for must_exist in (True, False):
        with pytest.raises(Refusal, match=r"study\.db is no SQLite database"):
            open_storage(url, must_exist=must_exist)
    assert (tmp_path / "study.db").read_text() == content


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="is no SQLite database"):
        open_storage(f"sqlite:///{tmp_path}", must_exist=False)


def test_a_database_in_a_missing_folder_is_refused_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"--storage needs an existing folder, got .*none"):
        create_or_open(f"sqlite:///{tmp_path / 'none' / 'study.db'}", "attention", {})
    assert not list(tmp_path.iterdir())


def test_a_database_without_our_tables_is_refused_and_left_as_it_was(url: str) -> None:
    optuna.create_study(storage=url, study_name="attention")
    with pytest.raises(Refusal, match=r"study\.db holds no study of this program"):
        open_existing(url, "attention")
    assert not set(COLUMNS) & set(inspect(create_engine(url)).get_table_names())


@pytest.mark.parametrize(
    "url", ["study.db", "", "sqlite://", "sqlite:///:memory:", "postgresql://host"]
)
def test_a_url_of_no_file_is_refused(url: str) -> None:
    with pytest.raises(Refusal, match=f"--storage must be .*, got {url}$"):
        database_of(url)


def test_an_empty_file_becomes_a_database(url: str, tmp_path: Path) -> None:
    (tmp_path / "study.db").touch()
    open_storage(url, must_exist=False)
    assert (tmp_path / "study.db").read_bytes().startswith(b"SQLite format 3\0")


def test_a_full_disk_is_named(url: str) -> None:
    def fill(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE filler (content BLOB)"))
        connection.execute(text("PRAGMA max_page_count = 3"))
        connection.execute(text("INSERT INTO filler VALUES (zeroblob(1000000))"))

    assert problem(fill, url).startswith("no space left for the database; free some and run")


def test_a_read_only_database_is_named(url: str) -> None:
    create_tables(open_storage(url, must_exist=False).engine)
    read_only = f"sqlite:///file:{database_path(url)}?mode=ro&uri=true"
    found = problem(lambda it: it.execute(text("DELETE FROM pareto_front")), read_only)
    assert found.startswith("the database is read-only; check its permissions")


def test_a_locked_database_is_named(url: str) -> None:
    create_tables(open_storage(url, must_exist=False).engine)
    with create_engine(url).connect() as holder:
        holder.execute(text("BEGIN IMMEDIATE"))
        found = problem(lambda it: it.execute(text("DELETE FROM pareto_front")), url)
    assert found == "the database was locked for 60 s; end what holds it and run again"


def test_a_damaged_database_is_named(url: str, tmp_path: Path) -> None:
    (tmp_path / "study.db").write_bytes(b"SQLite format 3\0" + b"damage" * 1000)
    found = problem(lambda it: it.execute(text("SELECT * FROM sqlite_master")), url)
    assert found == "the file is no SQLite database; name another file with --storage"


def test_an_unknown_error_is_told_in_its_own_words(url: str) -> None:
    found = problem(lambda it: it.execute(text("SELECT * FROM missing")), url)
    assert found == "the database refused: no such table: missing"
