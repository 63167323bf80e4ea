"""Each fault of a database, injected, and what the doctor says of it."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from search.doctor import database, sqlite
from search.doctor.database import (
    database_findings,
    optuna_versions,
    place_findings,
    refuse_unknown,
)
from search.doctor.finding import Finding
from search.doctor.sqlite import database_facts
from space import Refusal
from studies import database_path, only_driver
from studies.store import tables
from studies.store.locks import lock_path
from studies.store.tables import SCHEMA_VERSION
from tests.studies.store.dumps import STUDY, restored


@pytest.fixture
def url(tmp_path: Path) -> str:
    return restored("first_release", tmp_path)


def wrong(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.state != "ok"]


def only_wrong(url: str) -> Finding:
    (found,) = wrong(database_findings(url))
    return found


def run_sql(url: str, *commands: str) -> None:
    with closing(sqlite3.connect(database_path(url))) as connection:
        for command in commands:
            connection.execute(command).close()
        connection.commit()


def damage(url: str, table: str) -> None:
    """Overwrite the first page of a table."""
    path = database_path(url)
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("rb+") as file:
        file.seek((page - 1) * size)
        file.write(b"\x55" * size)


def test_a_healthy_study_is_told_whole_and_nothing_is_written(url: str, tmp_path: Path) -> None:
    before = {one: one.read_bytes() for one in tmp_path.iterdir()}
    found = database_findings(url)
    assert wrong(found) == []
    lines = [one.what for one in found]
    assert lines[-3].endswith("study.db is whole: 0.3 MB and a log of 0.0 MB")
    assert lines[-2] == "tables of version 1, as this program's"
    assert lines[-1] == "study attention: 8 complete, none unfinished, nobody runs it"
    assert {one: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_what_a_driver_has_not_written_back_yet_is_seen(url: str) -> None:
    with closing(sqlite3.connect(database_path(url))) as driver:
        driver.execute("UPDATE trials SET state = 'RUNNING' WHERE number = 7")
        driver.commit()
        assert [one.num_running for one in database_facts(database_path(url)).studies] == [1]


def test_no_database_is_no_problem(tmp_path: Path) -> None:
    found = database_findings(f"sqlite:///{tmp_path}/none.db")
    assert wrong(found) == []
    assert found[-1].what == f"none at {tmp_path}/none.db yet; search run makes one"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_a_problem(tmp_path: Path) -> None:
    found = wrong(database_findings(f"sqlite:///{tmp_path}/none/study.db"))
    assert [one.what for one in found] == [f"there is no folder {tmp_path}/none"]


def test_a_url_of_no_file_is_refused() -> None:
    for url in ("mysql://host/name", "sqlite://", "study.db"):
        with pytest.raises(Refusal, match="--storage must be "):
            refuse_unknown(url)


def test_a_damaged_page_is_a_problem(url: str) -> None:
    damage(url, "attention_epochs")
    found = only_wrong(url)
    assert found.state == "problem"
    assert "study.db is damaged: *** in database main *** " in found.what
    assert found.remedy.startswith("restore a copy made by search backup")


@pytest.mark.parametrize("content", [b"<html></html>", b"SQLite format 3\0" + b"damage" * 1000])
def test_a_file_that_is_no_database_is_a_problem(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "study.db").write_bytes(content)
    found = only_wrong(f"sqlite:///{tmp_path}/study.db")
    assert found.what.endswith("study.db: the file is no SQLite database")
    assert found.remedy == "name another file with --storage"


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    assert only_wrong(f"sqlite:///{tmp_path}").what == f"{tmp_path} is no file"


def test_a_check_that_takes_too_long_is_cut_short(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECK_SECONDS", -1.0)
    monkeypatch.setattr(sqlite, "STEPS", 1)
    found = only_wrong(url)
    assert found.state == "warning"
    assert found.what.endswith("study.db is too large to be checked in time")


def test_a_locked_database_is_a_problem_and_is_not_waited_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(database_path(url), isolation_level=None)) as holder:
        holder.execute("PRAGMA journal_mode = DELETE").close()
        holder.execute("BEGIN EXCLUSIVE")
        assert only_wrong(url).what.endswith("study.db is locked by another program")


def test_a_newer_version_is_a_problem_and_an_older_one_is_upgraded(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "SCHEMA_VERSION", SCHEMA_VERSION - 1)
    assert only_wrong(url).remedy == "update this program"
    monkeypatch.setattr(tables, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    found = only_wrong(url)
    assert found.state == "warning"
    assert found.remedy.endswith(f"upgrades them and keeps study.db.before-v{SCHEMA_VERSION + 1}")


@pytest.mark.parametrize(
    ("version", "remedy"),
    [("v2.6.0.a", "optuna storage upgrade --storage"), ("v99.0.0.a", "pip install --upgrade opt")],
)
def test_tables_of_another_optuna_are_a_problem(version: str, remedy: str, url: str) -> None:
    run_sql(url, f"UPDATE alembic_version SET version_num = '{version}'")
    found = only_wrong(url)
    assert found.what == f"Optuna's tables are {version}, this Optuna's {optuna_versions()[0]}"
    assert remedy in found.remedy


def test_unfinished_trials_that_nobody_runs_are_named(url: str) -> None:
    run_sql(
        url,
        "UPDATE trials SET state = 'RUNNING' WHERE number >= 6",
        "UPDATE attention_evaluations SET state = 'running' WHERE trial = 7",
    )
    found = only_wrong(url)
    assert found.what == "study attention: 6 complete, 2 unfinished, and nobody runs it"
    assert found.remedy == f"search run --storage {url} --study 'attention' goes on with them"


def test_the_driver_of_a_study_is_named(url: str) -> None:
    run_sql(url, "UPDATE trials SET state = 'RUNNING' WHERE number = 7")
    with only_driver(url, STUDY):
        found = database_findings(url)
    assert wrong(found) == []
    assert found[-1].what == (
        f"study attention: 7 complete, 1 unfinished, run by process {os.getpid()}"
    )
    assert lock_path(url, STUDY).exists()
    assert "nobody runs it" in only_wrong(url).what


def test_a_study_of_another_program_is_told_as_such(url: str) -> None:
    run_sql(url, "DELETE FROM study_user_attributes")
    assert database_findings(url)[-1].what == "study attention: 8 complete, not of this program"


def test_a_log_that_a_reader_keeps_from_being_written_back_is_named(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LONG_LOG_BYTES", 1000)
    with closing(sqlite3.connect(database_path(url))) as driver:
        driver.execute("DELETE FROM pareto_front")
        driver.commit()
        found = only_wrong(url)
    assert found.state == "warning"
    assert "the write-ahead log of" in found.what


def test_a_folder_that_takes_no_files_is_a_problem(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database_path(url)
    monkeypatch.setattr("os.access", lambda one, _: one != path.parent)
    found = only_wrong(url)
    assert (found.state, found.what) == (
        *("problem", f"{path.parent} cannot be written by this user"),
    )


def test_a_read_only_file_is_a_problem(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = database_path(url)
    monkeypatch.setattr("os.access", lambda one, _: one != path)
    assert only_wrong(url).what == f"{path} cannot be written by this user"


def test_a_full_disk_and_a_network_disk_are_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/home {tmp_path} nfs4 rw,relatime 0 0\n")
    monkeypatch.setattr(database, "MOUNTS", mounts)
    monkeypatch.setattr(database, "FREE_BYTES", 1e18)
    full, network = wrong(place_findings(tmp_path / "study.db"))
    assert full.remedy.startswith("free some, ")
    assert network.what == f"{tmp_path} is on nfs4, where SQLite's write-ahead log does not work"


def test_a_study_that_no_file_can_be_named_after_is_another_programs(url: str) -> None:
    for name in ("exp/resnet", "two\nlines", ""):
        run_sql(
            url,
            "DELETE FROM study_user_attributes",
            f"UPDATE studies SET study_name = '{name}'",
        )
        shown = name.replace("\n", "\\n")
        assert database_findings(url)[-1].what == f"study {shown}: 8 complete, not of this program"


def test_ours_under_such_a_name_is_told_and_asked_no_lock(url: str) -> None:
    run_sql(url, "UPDATE studies SET study_name = 'exp/resnet'")  # as the dashboard lets one do
    assert database_findings(url)[-1].what.endswith("8 complete, none unfinished, nobody runs it")


def test_a_studys_name_that_is_no_text_is_damage(url: str) -> None:
    run_sql(url, "UPDATE studies SET study_name = x'fffe'")
    found = only_wrong(url)
    assert found.what.endswith(r"study.db is damaged: study_name must be str, got b'\xff\xfe'")
    assert found.remedy.startswith("restore a copy made by search backup")


def test_a_version_that_is_no_number_is_damage(url: str) -> None:
    run_sql(url, "UPDATE attention_studies SET schema_version = 'abc'")
    found = only_wrong(url)
    assert found.what.endswith("study.db is damaged: schema_version must be int, got 'abc'")
    assert found.remedy.startswith("restore a copy made by search backup")


def test_a_path_with_a_lines_end_is_one_line(tmp_path: Path) -> None:
    found = database_findings(f"sqlite:///{tmp_path}/x\ny.db")
    assert found[-1].what == f"none at {tmp_path}/x\\ny.db yet; search run makes one"
