"""kill -9 of the driver: the same command again reaches the total, and the same result."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from studies import OpenStudy, open_existing
from tests.search.faults.whole import assert_whole, front_rows, result

SCRIPT = Path(__file__).parent / "study_process.py"
TRIALS = 14
GONE_SECONDS = 5.0


def start(url: str, workers: int = 1) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPT), url, str(TRIALS), str(workers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


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


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(20))
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
    assert_whole(study, TRIALS, num_epochs=3)
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
    assert_whole(open_existing(url, "fake"), TRIALS, num_epochs=3)
