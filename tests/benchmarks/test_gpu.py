"""What runs in a slice of some minutes, and with which options."""

from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import gpu
from benchmarks.gpu import RESERVE_MINUTES, STEPS, Step, command_of, left, needed_minutes, run_left

SHORT = Step("short", "engine", "--full", "--small", 2)
LONG = Step("long", "accuracy", "--full", "--small", 20, resumable=True)


def options_of(out: Path, **changed: object) -> Namespace:
    values = {"out": out, "minutes": 9.0, "small": False, "dataset": "cifar10", "data_dir": None}
    return Namespace(**{**values, "device": SimpleNamespace(type="cpu"), **changed})


def test_a_benchmark_is_left_until_its_file_is_there(tmp_path: Path) -> None:
    assert left(tmp_path) == list(STEPS)
    (tmp_path / f"{STEPS[0].name}.json").touch()
    assert left(tmp_path) == list(STEPS[1:])


def test_a_benchmark_needs_its_estimate_and_some_time_to_end(tmp_path: Path) -> None:
    assert needed_minutes(LONG, options_of(tmp_path)) == 20 + RESERVE_MINUTES
    assert needed_minutes(LONG, options_of(tmp_path, small=True)) < 2


def test_without_a_limit_everything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "STEPS", (SHORT, LONG))
    monkeypatch.setattr(gpu, "run", lambda _step, _options, minutes: minutes is None)
    assert run_left(options_of(tmp_path, minutes=None)) == ["short", "long"]


def test_a_resumable_benchmark_is_told_where_its_runs_are_and_when_to_end(tmp_path: Path) -> None:
    command = " ".join(command_of(LONG, options_of(tmp_path, data_dir=Path("images")), 9.0))
    assert f"--runs {tmp_path / 'long.runs'} --data-dir images --minutes 8.70" in command
    assert "--minutes" not in command_of(LONG, options_of(tmp_path), None)
    assert "--runs" not in command_of(SHORT, options_of(tmp_path), 9.0)


def test_small_benchmarks_have_their_own_options(tmp_path: Path) -> None:
    assert "--full" in command_of(SHORT, options_of(tmp_path), None)
    assert "--small" in command_of(SHORT, options_of(tmp_path, small=True), None)


def test_what_fails_is_named_and_what_does_not_fit_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def run(step: Step, *_: object) -> bool:
        begun.append(step.name)
        return step.name == "failing"

    failing = Step("failing", "engine", "", "", 1)
    monkeypatch.setattr(gpu, "STEPS", (SHORT, LONG, failing))
    monkeypatch.setattr(gpu, "run", run)
    assert run_left(options_of(tmp_path)) == ["failing"]
    assert begun == ["short", "failing"]


def test_every_benchmark_names_a_module_and_a_file_of_its_own() -> None:
    folder = Path(gpu.__file__).parent
    assert all((folder / f"{step.module}.py").exists() for step in STEPS)
    assert len({step.name for step in STEPS}) == len(STEPS)
