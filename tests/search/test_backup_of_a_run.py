"""`search backup` and `search doctor` while a driver writes, and after it was killed."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from optuna.trial import TrialState

from search.doctor.database import database_findings
from search.recovery import recover
from studies import database_path, evaluations, open_existing
from studies.store.backup import back_up

SCRIPT = Path(__file__).parent / "study_process.py"
NAME = "fake"
DEADLINE = 120.0  # seconds


def num_complete(url: str) -> int:
    query = "SELECT COUNT(*) FROM attention_evaluations WHERE state = 'complete'"
    try:
        with closing(sqlite3.connect(f"file:{database_path(url)}?mode=ro", uri=True)) as reader:
            return int(reader.execute(query).fetchone()[0])
    except sqlite3.OperationalError:  # there is no such table yet
        return 0


def wait_for(url: str, trainings: int, driver: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + DEADLINE
    while num_complete(url) < trainings:
        assert driver.poll() is None, "the driver ended early"
        assert time.monotonic() < end, "the driver is too slow"
        time.sleep(0.05)


@pytest.mark.slow
def test_copies_of_a_running_study_are_whole_and_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the driver was about to write, a copy is what a kill would have left."""
    monkeypatch.setenv("FAKE_SECONDS", "0.05")
    url = f"sqlite:///{tmp_path}/study.db"
    command = [sys.executable, str(SCRIPT), url, "500", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as driver:
        try:
            wait_for(url, 3, driver)
            copies = []
            for number in range(6):
                copies.append(back_up(database_path(url), tmp_path / f"copy{number}.db"))
                wait_for(url, num_complete(url) + 1, driver)
            running = database_findings(url)[-1].what
        finally:
            driver.kill()
    assert f"run by process {driver.pid}" in running
    left = database_findings(url)[-1]
    assert "nobody runs it" in left.what
    assert "search run --storage" in left.remedy or ", none unfinished" in left.what
    for copy in copies:
        study = open_existing(f"sqlite:///{copy.path}", NAME)
        recover(study)
        rows = evaluations(study)
        assert [row.proposal for row in rows] == list(range(len(rows)))
        trials = study.optuna.get_trials(deepcopy=False)
        told = {one.number for one in trials if one.state == TrialState.COMPLETE}
        assert told == {row.trial for row in rows if row.state == "complete"} - {None}
    assert copies[0].num_trainings[NAME] < copies[-1].num_trainings[NAME]
