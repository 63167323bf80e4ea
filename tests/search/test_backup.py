"""`search backup`: from the command's words to a copy that opens."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from search.backup import folders_beside
from search.cli import run_command
from studies import database_path, evaluations, only_driver, open_existing
from tests.studies.store.dumps import STUDY, restored


@pytest.fixture
def url(tmp_path: Path) -> str:
    return restored("first_release", tmp_path)


def test_a_copy_beside_the_database_opens_as_the_same_study(
    url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with only_driver(url, STUDY):
        assert run_command(["backup", "--storage", url]) == 0
    held, restore = capsys.readouterr().out.splitlines()
    (copy,) = set(tmp_path.glob("*.db")) - {database_path(url)}
    assert held.startswith(f"{copy}: 0.3 MB, checked; ")
    assert held.endswith("studies: attention (8 trainings)")
    assert restore.startswith("to restore: end every run, then rm -f ")
    study = open_existing(f"sqlite:///{copy}", STUDY)
    assert len(evaluations(study)) == 10


def test_the_line_that_restores_does(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = database_path(url)
    assert run_command(["backup", "--storage", url, "--to", f"{path.parent}/kept copy.db"]) == 0
    command = ["UPDATE studies SET study_name = 'other'", "PRAGMA wal_autocheckpoint = 0"]
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("; ".join(reversed(command)))
        log = path.with_name("study.db-wal").read_bytes()
    path.with_name("study.db-wal").write_bytes(log)  # as a driver leaves it that was killed
    restore = capsys.readouterr().out.splitlines()[-1].partition(", then ")[2]
    assert os.system(restore) == 0
    assert open_existing(url, STUDY).name == STUDY


def test_a_folder_takes_a_copy_of_the_usual_name(url: str, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    assert run_command(["backup", "--storage", url, "--to", str(tmp_path / "copies")]) == 0
    assert [one.suffix for one in (tmp_path / "copies").iterdir()] == [".db"]


def test_what_is_not_in_a_copy_is_named(
    url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("study.artifacts", "study.tried.confirm", "other.artifacts", "study.else"):
        (tmp_path / name).mkdir()
    found = [one.name for one in folders_beside(database_path(url))]
    assert found == ["study.artifacts", "study.tried.confirm"]
    assert run_command(["backup", "--storage", url]) == 0
    assert "not in it: study.artifacts, study.tried.confirm (" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--storage", "sqlite:///none.db"], "no study database at none.db"),
        (["--to", "none/copy.db"], "--to needs an existing folder, got "),
        (["--to", "study.db"], "--to must be another file than the database, got study.db"),
        (["--storage", "postgresql://a@h/d"], "must be a SQLite file, got postgresql://a@h/d;"),
    ],
)
def test_bad_words_are_refused_in_one_line(
    words: list[str],
    line: str,
    url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(database_path(url).parent)
    assert run_command(["backup", "--storage", url, *words]) == 2
    shown = capsys.readouterr().err
    assert line in shown
    assert shown.count("\n") == 1
