"""kill -9 of the driver: the same command again reaches the total, and the same result."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from optuna.trial import TrialState
from sqlalchemy import text

from studies import OpenStudy, evaluations, open_existing

SCRIPT = Path(__file__).parent / "study_process.py"
TRIALS = 14
GONE_SECONDS = 5.0


def start(url: str, workers: int = 1) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPT), url, str(TRIALS), str(workers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(url: str, workers: int = 1) -> None:
    _, errors = (process := start(url, workers)).communicate(timeout=120)
    assert process.returncode == 0, errors.decode()


def result(study: OpenStudy) -> list[tuple[object, ...]]:
    return [
        (row.proposal, row.purpose, row.digest, row.seed, row.state, row.accuracy, row.correct)
        for row in evaluations(study)
    ]


def front_rows(study: OpenStudy) -> list[tuple[object, ...]]:
    query = "select rank, digest, estimate, standard_error, num_evaluations from pareto_front"
    with study.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query + " order by rank"))]


def assert_whole(study: OpenStudy) -> None:
    trials = study.optuna.get_trials(deepcopy=False)
    states = Counter(trial.state for trial in trials)
    assert states[TrialState.COMPLETE] == TRIALS
    assert states[TrialState.RUNNING] == states[TrialState.WAITING] == 0
    told = Counter(row.trial for row in evaluations(study) if row.trial is not None)
    assert set(told.values()) == {1}
    with study.engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def children_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> OpenStudy:
    url = f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/study.db"
    finish(url)
    return open_existing(url, "fake")


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(10))
def test_a_killed_study_ends_like_an_undisturbed_one(
    moment: int, tmp_path: Path, undisturbed: OpenStudy
) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    process = start(url)
    time.sleep(random.Random(moment).uniform(0.8, 3.5))  # from the imports to the last trials
    workers = children_of(process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=GONE_SECONDS)
    assert not alive
    finish(url)
    study = open_existing(url, "fake")
    assert_whole(study)
    assert result(study) == result(undisturbed)
    assert front_rows(study) == front_rows(undisturbed)


@pytest.mark.slow
def test_a_study_with_two_workers_killed_many_times_reaches_its_total(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    for moment in range(4):
        process = start(url, workers=2)
        time.sleep(random.Random(100 + moment).uniform(1.5, 2.5))
        process.kill()
        process.communicate()
    finish(url, workers=2)
    study = open_existing(url, "fake")
    states = Counter(trial.state for trial in study.optuna.get_trials(deepcopy=False))
    assert states[TrialState.COMPLETE] == TRIALS
    assert states[TrialState.RUNNING] == 0
