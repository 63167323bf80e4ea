"""kill -9 of the driver: the same command again reaches the total, and the same result."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from studies import OpenStudy, evaluations, open_existing
from tests.search.faults.whole import assert_whole, front_rows, result
from tests.search.watching import EPOCHS, TRAININGS, counted, until_stored

SCRIPT = Path(__file__).parent / "study_process.py"
TRIALS = 14
MOST = 3 * (TRIALS - 2)  # epochs before a kill: there is always one more training to come
GONE_SECONDS = 5.0
SLOW = 0.05  # seconds of an epoch that is to be killed


def start(url: str, workers: int = 1, seconds: float = 0.01) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPT), url, str(TRIALS), str(workers)]
    return subprocess.Popen(
        command,
        env={**os.environ, "FAKE_SECONDS": str(seconds)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(url: str, workers: int = 1) -> None:
    _, errors = (process := start(url, workers)).communicate(timeout=120)
    assert process.returncode == 0, errors.decode()


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


def killed(database: Path, query: str, number: int, share: float, workers: int = 1) -> None:
    """Kill the driver this share of an epoch after the query counts so many rows."""
    process = start(f"sqlite:///{database}", workers, SLOW)
    until_stored(database, query, number)
    time.sleep(share * SLOW)
    children = children_of(process)
    process.kill()
    process.communicate()
    assert process.returncode < 0, "it had come to its end"
    _, alive = psutil.wait_procs(children, timeout=GONE_SECONDS)
    assert not alive


def moments() -> list[tuple[str, int, float]]:
    """Return ten moments behind drawn proposals and ten behind drawn epochs."""
    drawn = random.Random(7)
    rows = [(TRAININGS, drawn.randint(1, TRIALS - 2), drawn.random()) for _ in range(10)]
    return rows + [(EPOCHS, drawn.randint(1, MOST), drawn.random()) for _ in range(10)]


@pytest.mark.slow
@pytest.mark.parametrize(("query", "number", "share"), moments())
def test_a_killed_study_ends_like_an_undisturbed_one(
    query: str, number: int, share: float, tmp_path: Path, undisturbed: OpenStudy
) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    killed(tmp_path / "study.db", query, number, share)
    study = open_existing(url, "fake")
    left = evaluations(study)
    assert left
    assert sum(row.counts for row in left) < TRIALS
    within = query == EPOCHS and number % 3 and share < 0.5  # else perhaps between two trainings
    assert not within or not all(row.is_final for row in left)
    finish(url)
    assert_whole(study, TRIALS, num_epochs=3)
    assert result(study) == result(undisturbed)
    assert front_rows(study) == front_rows(undisturbed)


@pytest.mark.slow
def test_a_study_with_two_workers_killed_many_times_reaches_its_total(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    database, drawn = tmp_path / "study.db", random.Random(100)
    for _ in range(4):
        behind = counted(database, EPOCHS) + drawn.randint(1, 8)
        killed(database, EPOCHS, behind, drawn.random(), workers=2)
        left = evaluations(open_existing(url, "fake"))
        assert not all(row.is_final for row in left)
    finish(url, workers=2)
    assert_whole(open_existing(url, "fake"), TRIALS, num_epochs=3)
