"""A password in a URL is refused by every command, and is in nothing that it prints or writes."""

import inspect
from pathlib import Path

import pytest

from search.cli import COMMANDS, run_command

CANARY = "ca9nary"
WITH_STORAGE = [one.__name__ for one in COMMANDS if "storage" in inspect.signature(one).parameters]
NEEDED = {"export": ["--out", "best.yaml"]}


def test_the_commands_that_open_a_study_are_known() -> None:
    assert {"run", "status", "front", "confirm", "report", "dashboard"} <= set(WITH_STORAGE)


@pytest.mark.parametrize("command", WITH_STORAGE)
@pytest.mark.parametrize(
    "url", [f"postgresql://ada:{CANARY}@localhost/trees", f"mysql:ada:{CANARY}@localhost/trees"]
)
def test_a_password_is_neither_printed_nor_written(
    command: str,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [command, *NEEDED.get(command, []), "--storage", url]
    assert run_command(given) == 2
    shown = capfd.readouterr()
    assert "--storage must" in shown.err
    assert len(shown.err.splitlines()) == 1
    assert CANARY not in shown.out + shown.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["sqlite:///.", "study.db", "postgresql://ada@host/"])
def test_an_example_and_a_user_are_no_password(
    url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["status", "--storage", url]) == 2
    shown = capfd.readouterr().err
    assert "postgresql://USER@HOST/NAME or sqlite:///FILE, got " in shown
    assert "***" not in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", f"postgresql://ada:{CANARY}@localhost/trees"],
        ["status", f"--storag=postgresql://ada:{CANARY}@localhost/trees"],
        [f"postgresql://ada:{CANARY}@localhost/trees"],
        ["status", f"postgresql://ada@h/db?password={CANARY}"],
        ["status", "--study", f"postgresql://ada@h/db?password={CANARY}"],
        ["status", f"postgresql://ada:my {CANARY}@h/db"],
        ["status", f"postgresql://ada:my@ {CANARY}@h/db"],
        ["status", f"postgresql://ada@h/db?sslPASSWORD=my) {CANARY}&port=1"],
        ["status", "--study", "none", "--storage", f"sqlite:///x.db#postgresql://a:{CANARY}@h/d"],
    ],
)
def test_a_password_in_the_wrong_place_is_not_repeated(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(arguments) == 2
    shown = capfd.readouterr()
    assert shown.err.startswith("search: ")
    assert CANARY not in shown.out + shown.err
