"""Files of other versions of this program: a second version is made up here to prove it."""

import logging
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from search.config import StudyConfig
from space import Refusal
from studies import (
    create_or_open,
    database_path,
    evaluations,
    existing_settings,
    only_driver,
    open_existing,
)
from studies.store import migrations, tables
from studies.store import upgrade as upgrade_module
from studies.store.tables import SCHEMA_VERSION
from studies.store.upgrade import upgrade
from tests.studies.store.dumps import STUDY, restored

NEXT = SCHEMA_VERSION + 1
KEPT = f"study.db.before-v{NEXT}"
KILLED = """
import os, signal, sys
from sqlalchemy import text
from studies import open_existing
from studies.store import migrations, tables

def killed(connection):
    connection.execute(text("ALTER TABLE attention_evaluations ADD COLUMN note VARCHAR"))
    os.kill(os.getpid(), signal.SIGKILL)

tables.SCHEMA_VERSION += 1
migrations.MIGRATIONS = {tables.SCHEMA_VERSION: killed}
open_existing(sys.argv[1], "attention")
"""


class Crash(BaseException):
    """The process ends here, as far as the database can tell."""


def add_note(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE attention_evaluations ADD COLUMN note VARCHAR"))


def add_note_and_crash(connection: Connection) -> None:
    add_note(connection)
    raise Crash


@pytest.fixture
def older(tmp_path: Path) -> str:
    """Return the URL of a file that is closed, as a program leaves it at its end."""
    return restored("first_release", tmp_path)


@pytest.fixture
def _next_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "SCHEMA_VERSION", NEXT)
    monkeypatch.setattr(migrations, "MIGRATIONS", {NEXT: add_note})


def state(path: Path) -> tuple[list[int], bool]:
    """Return the versions of the file's studies, and whether it has the new column."""
    with closing(sqlite3.connect(path)) as connection:
        versions = connection.execute("SELECT schema_version FROM attention_studies").fetchall()
        columns = connection.execute("PRAGMA table_info(attention_evaluations)").fetchall()
    return [version for (version,) in versions], "note" in [column[1] for column in columns]


def test_every_version_after_the_first_has_its_function() -> None:
    assert list(migrations.MIGRATIONS) == list(range(2, SCHEMA_VERSION + 1))


@pytest.mark.usefixtures("_next_version")
def test_an_older_file_is_upgraded_after_a_copy_and_keeps_its_rows(
    older: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = database_path(older)
    study = open_existing(older, STUDY)
    assert state(path) == ([NEXT], True)
    assert state(path.with_name(KEPT)) == ([SCHEMA_VERSION], False)
    assert len([row for row in evaluations(study) if row.purpose != "reference"]) == 8
    (line,) = caplog.messages
    kept = path.with_name(KEPT)
    assert line == f"upgraded {path} from version {NEXT - 1} to {NEXT}; as it was: {kept}"


@pytest.mark.usefixtures("_next_version")
def test_an_upgrade_is_said_on_stderr_in_one_line(
    older: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # those of the tests
    monkeypatch.setattr(logging.getLogger(upgrade_module.__name__), "handlers", [])
    upgrade(older, only_driver)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"upgraded {database_path(older)} from version ")
    assert shown.err.count("\n") == 1


@pytest.mark.usefixtures("_next_version")
def test_a_file_is_upgraded_once(older: str) -> None:
    upgrade(older, only_driver)
    kept = database_path(older).with_name(KEPT)
    kept.unlink()
    upgrade(older, only_driver)
    assert not kept.exists()


@pytest.mark.usefixtures("_next_version")
def test_optunas_own_version_is_left_alone(older: str) -> None:
    path = database_path(older)

    def optunas() -> list[tuple[str]]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT version_num FROM alembic_version").fetchall()

    before = optunas()
    upgrade(older, only_driver)
    assert optunas() == before


@pytest.mark.usefixtures("_next_version")
def test_a_crash_leaves_the_file_as_it_was_and_the_next_start_upgrades_it(
    older: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database_path(older)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", {NEXT: add_note_and_crash})
        with pytest.raises(Crash):
            upgrade(older, only_driver)
    assert state(path) == ([SCHEMA_VERSION], False)
    upgrade(older, only_driver)
    assert state(path) == ([NEXT], True)


@pytest.mark.slow
def test_a_kill_leaves_the_file_as_it_was(older: str) -> None:
    command = [sys.executable, "-c", KILLED, older]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], check=False)
    assert done.returncode == -signal.SIGKILL
    path = database_path(older)
    assert state(path) == ([SCHEMA_VERSION], False)
    assert state(path.with_name(KEPT)) == ([SCHEMA_VERSION], False)


@pytest.mark.usefixtures("_next_version")
def test_a_copy_of_an_upgrade_that_crashed_is_made_anew(older: str) -> None:
    kept = database_path(older).with_name(KEPT)
    kept.write_text("of before")
    upgrade(older, only_driver)
    assert state(kept) == ([SCHEMA_VERSION], False)


@pytest.mark.usefixtures("_next_version")
def test_nothing_is_upgraded_while_somebody_runs_a_study_of_the_file(
    older: str, small_config: StudyConfig
) -> None:
    path = database_path(older)
    with only_driver(older, STUDY):
        for opened in (
            lambda: open_existing(older, STUDY),
            lambda: existing_settings(older, STUDY),
            lambda: create_or_open(older, "another", small_config.settings()),
        ):
            with pytest.raises(
                Refusal, match=rf"must be upgraded to version {NEXT} while nobody writes, got: st"
            ):
                opened()
    assert state(path) == ([SCHEMA_VERSION], False)
    assert not path.with_name(KEPT).exists()


@pytest.mark.usefixtures("_next_version")
def test_a_driver_upgrades_under_its_own_lock(older: str, small_config: StudyConfig) -> None:
    with only_driver(older, STUDY):
        create_or_open(older, STUDY, small_config.settings())
    assert state(database_path(older)) == ([NEXT], True)


@pytest.mark.usefixtures("_next_version")
def test_without_room_for_the_copy_nothing_is_upgraded(
    older: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise Refusal("no copy: no space left")

    monkeypatch.setattr(upgrade_module, "back_up", full)
    with pytest.raises(Refusal, match="no space left"):
        upgrade(older, only_driver)
    assert state(database_path(older)) == ([SCHEMA_VERSION], False)


def test_a_file_with_a_study_of_a_newer_version_is_refused_whole(
    older: str, small_config: StudyConfig
) -> None:
    """Its tables are of the newer version, whichever study is asked for."""
    with closing(sqlite3.connect(database_path(older))) as connection:
        connection.execute(
            "INSERT INTO attention_studies VALUES ('1', 'another', ?, '{}', '2026-01-01')", (NEXT,)
        )
        connection.commit()
    for opened in (
        lambda: open_existing(older, STUDY),
        lambda: existing_settings(older, STUDY),
        lambda: create_or_open(older, STUDY, small_config.settings()),
        lambda: create_or_open(older, "a new one", small_config.settings()),
    ):
        with pytest.raises(Refusal, match=r"another was made by a newer version; update this pro"):
            opened()


@pytest.mark.parametrize(
    ("version", "way_out"),
    [
        (
            "v2.6.0.a",
            r"`search backup --storage .*` keeps it .* `optuna storage upgrade --storage",
        ),
        ("v99.0.0.a", r"has tables of a newer Optuna; `pip install --upgrade optuna` reads it"),
    ],
)
def test_a_database_of_another_optuna_is_refused_with_the_command_that_mends_it(
    version: str, way_out: str, older: str, small_config: StudyConfig
) -> None:
    with closing(sqlite3.connect(database_path(older))) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.commit()
    with pytest.raises(Refusal, match=way_out):
        open_existing(older, STUDY)
    with pytest.raises(Refusal, match=way_out):
        existing_settings(older, STUDY)
    with pytest.raises(Refusal, match=way_out):
        create_or_open(older, STUDY, small_config.settings())
