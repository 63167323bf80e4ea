"""`search backup`: from the command's words to a copy that opens."""

import os
from pathlib import Path

import pytest

from search.backup import folders_beside
from search.cli import run_command
from studies import OpenStudy, database_path, only_driver, open_existing


def test_a_copy_beside_the_database_opens_as_the_same_study(
    study: OpenStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    study.optuna.tell(study.optuna.ask(), [0.5, 100.0])
    before = set(database_path(study.url).parent.iterdir())
    with only_driver(study.url, study.name):
        assert run_command(["backup", "--storage", study.url]) == 0
    held, restore = capsys.readouterr().out.splitlines()
    made = {one for one in database_path(study.url).parent.iterdir() if one.suffix == ".db"}
    (copy,) = made - before
    assert held.startswith(f"{copy}: ")
    assert held.endswith("checked; studies: tried (1 trainings)")
    assert restore.startswith("to restore: end every run, then rm -f ")
    opened = open_existing(f"sqlite:///{copy}", study.name)
    assert (opened.uid, opened.settings) == (study.uid, study.settings)


def test_the_line_that_restores_does(study: OpenStudy, capsys: pytest.CaptureFixture[str]) -> None:
    copy = database_path(study.url).with_name("kept copy.db")
    assert run_command(["backup", "--storage", study.url, "--to", str(copy)]) == 0
    study.optuna.ask()
    study.engine.dispose()
    restore = capsys.readouterr().out.splitlines()[-1].partition(", then ")[2]
    assert os.system(restore) == 0
    assert open_existing(study.url, study.name).optuna.get_trials(deepcopy=False) == []


def test_a_folder_takes_a_copy_of_the_usual_name(study: OpenStudy, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    assert run_command(["backup", "--storage", study.url, "--to", str(tmp_path / "copies")]) == 0
    assert [one.suffix for one in (tmp_path / "copies").iterdir()] == [".db"]


def test_what_is_not_in_a_copy_is_named(
    study: OpenStudy, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("study.artifacts", "study.tried.confirm", "other.artifacts", "study.else"):
        (tmp_path / name).mkdir()
    found = [one.name for one in folders_beside(database_path(study.url))]
    assert found == ["study.artifacts", "study.tried.confirm"]
    assert run_command(["backup", "--storage", study.url]) == 0
    assert "not in it: study.artifacts, study.tried.confirm (" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--storage", "sqlite:///none.db"], "no study database at none.db"),
        (["--to", "none/copy.db"], "--to needs an existing folder, got "),
        (["--storage", "postgresql://me:secret@host/name"], "--storage must be sqlite:///FILE"),
    ],
)
def test_bad_words_are_refused_in_one_line(
    words: list[str],
    line: str,
    study: OpenStudy,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(database_path(study.url).parent)
    assert run_command(["backup", "--storage", study.url, *words]) == 2
    shown = capsys.readouterr().err
    assert line in shown
    assert shown.count("\n") == 1
