"""Ctrl-C in a real process: once gently, twice at once; and the way on."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from studies import evaluations, open_existing

SCRIPT = Path(__file__).parent / "command_process.py"
PATIENCE = 60.0


def start(folder: Path, *arguments: str, seconds: float = 0.05) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), "run", "--dataset", "cifar10-sample", *arguments]
    return subprocess.Popen(
        [*command, "--device", "cpu", "--workers", "2"],
        cwd=folder,
        env={**os.environ, "FAKE_SECONDS": str(seconds), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # its own group, as a terminal would signal it
    )


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    """Read the output until a line holds the words."""
    assert process.stdout is not None
    seen = ""
    deadline = time.monotonic() + PATIENCE
    for line in process.stdout:
        seen += line
        if words in line:
            return seen
        assert time.monotonic() < deadline, seen
    raise AssertionError(seen)


def test_one_ctrl_c_finishes_what_runs_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = start(tmp_path, "--trials", "40", "--no-references")
    wait_for(process, "trial 0 ")
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, output
    assert "finishing what runs" in output
    assert "go on:    search run --trials 40" in output
    assert "Traceback" not in output
    study = open_existing(f"sqlite:///{tmp_path}/study.db", "attention")
    assert Counter(row.state for row in evaluations(study))["running"] == 0
    again = start(tmp_path, "--trials", "12")
    output, _ = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, output
    states = Counter(row.state for row in evaluations(study))
    assert states["complete"] >= 12
    assert set(states) == {"complete"}
    assert {row.attempt for row in evaluations(study)} == {1}


@pytest.mark.slow
def test_two_ctrl_c_end_at_once_and_count_against_no_training(tmp_path: Path) -> None:
    process = start(tmp_path, "--trials", "10", "--no-references", seconds=30.0)
    wait_for(process, "architectures of")
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    wait_for(process, "finishing what runs")
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    study = open_existing(f"sqlite:///{tmp_path}/study.db", "attention")
    rows = evaluations(study)
    assert rows
    assert {(row.state, row.attempt) for row in rows} == {("proposed", 1)}


@pytest.mark.slow
def test_a_time_limit_ends_with_the_way_on(tmp_path: Path) -> None:
    process = start(tmp_path, "--trials", "400", "--no-references", "--max-time", "2s")
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, output
    assert "ended by --max-time" in output
    assert "go on:    search run --trials 400" in output
