"""`search doctor`: every area heard in time, and the words and codes it ends with."""

import json
import threading
from pathlib import Path

import pytest

from search.cli import run_command
from search.doctor import examination
from search.doctor.examination import all_findings
from search.doctor.finding import Finding
from search.doctor.report import as_text
from space import Refusal

WELL = Finding("machine", "ok", "as it should be")
SLOW = Finding("data", "warning", "slow", "be patient")
WRONG = Finding("database", "problem", "gone", "find it")


def raised(error: Exception) -> list[Finding]:
    raise error


def test_an_area_that_hangs_keeps_no_other_and_is_named() -> None:
    end = threading.Event()
    areas = {"disk": lambda: [WELL] * end.wait(), "machine": lambda: [WELL]}
    try:
        found = all_findings(areas, 0.2)
    finally:
        end.set()
    assert [one.state for one in found] == ["problem", "ok"]
    assert found[0].area == "disk"
    assert found[0].what == "no answer within 0 s"


def test_an_unreadable_file_is_a_problem_and_a_bug_is_raised() -> None:
    unreadable = PermissionError(13, "Permission denied", "/folder/mounts")
    (found,) = all_findings({"disk": lambda: raised(unreadable)}, 5)
    assert found.what == "[Errno 13] Permission denied: '/folder/mounts'"
    for error in (Refusal("no URL"), KeyError("a bug")):
        with pytest.raises(type(error)):
            all_findings({"disk": lambda: raised(error)}, 5)  # noqa: B023 - called at once


def test_the_text_has_a_line_for_each_finding_and_its_remedy_below() -> None:
    assert as_text([WELL, SLOW, WRONG]).splitlines() == [
        "ok       machine   as it should be",
        "warning  data      slow",
        "                   -> be patient",
        "problem  database  gone",
        "                   -> find it",
        "1 problem, 1 warning",
    ]
    assert as_text([WELL]).splitlines()[-1] == "no problems, no warnings"


def test_whatever_is_not_well_has_a_remedy() -> None:
    with pytest.raises(AssertionError):
        Finding("data", "warning", "slow")


@pytest.mark.parametrize(("found", "code"), [([WELL, SLOW], 0), ([WELL, WRONG], 1)])
def test_the_code_says_whether_there_is_a_problem(
    found: list[Finding],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(examination, "examined", lambda *_: found)
    assert run_command(["doctor"]) == code
    assert capsys.readouterr().out == as_text(found) + "\n"
    assert run_command(["doctor", "--format", "json"]) == code
    data = json.loads(capsys.readouterr().out)
    assert data["healthy"] == (code == 0)
    assert list(data["findings"][1]) == ["area", "state", "what", "remedy"]


@pytest.mark.parametrize("words", [["--format", "xml"], ["--storage", "nothing"]])
def test_bad_words_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["doctor", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow  # it imports torch
def test_all_areas_are_examined(tmp_path: Path) -> None:
    found = examination.examined(f"sqlite:///{tmp_path}/study.db", tmp_path)
    areas = [one.area for one in found]
    assert list(dict.fromkeys(areas))[:5] == ["machine", "packages", "device", "data", "database"]
    assert list(tmp_path.iterdir()) == []
