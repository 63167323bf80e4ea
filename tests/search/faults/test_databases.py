"""Databases that are full, locked, read-only, deleted or replaced under a running study."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
import time_machine

from search.config import StudyConfig, config_of
from search.driver import Driver, Limits
from search.executors import Event, Job
from search.listener import Listener
from space import Refusal
from studies import OpenStudy, create_or_open, evaluations, open_existing, storage_problem
from studies.store import database
from studies.store.database import STORAGE_ERRORS
from studies.store.storage import refusing_if_deleted
from tests.search.faults.whole import assert_whole, result
from tests.search.scripted import SETTINGS, ScriptedExecutor, succeed

COMMAND = Path(__file__).parents[1] / "command_process.py"
TRIALS, AT = 8, 5  # the fault strikes while the fifth training runs
PATIENCE = 300.0
AS_A_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]  # root, too
Fault = Callable[[], object]


def drive(study: OpenStudy, config: StudyConfig, fault: Fault | None = None) -> str:
    def reply(job: Job) -> list[Event]:
        if fault is not None and job.id == AT:
            fault()
        return succeed(job)

    driver = Driver(study, config, ScriptedExecutor(reply), listener=Listener())
    with refusing_if_deleted(study):
        return driver.run(Limits(TRIALS), lambda: False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "study.db"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    config = config_of(SETTINGS)
    url = f"sqlite:///{tmp_path_factory.mktemp('calm')}/study.db"
    study = create_or_open(url, "tried", config.settings())
    drive(study, config)
    return result(study)


def go_on(study: OpenStudy, config: StudyConfig) -> OpenStudy:
    again = create_or_open(study.url, study.name, config.settings())
    assert drive(again, config) == "total"
    assert_whole(again, TRIALS, num_epochs=1)
    return again


def test_a_lock_that_is_kept_too_long_is_named_and_nothing_is_lost(
    study: OpenStudy,
    config: StudyConfig,
    path: Path,
    undisturbed: list[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pragmas = [one.replace("60000", "50") for one in database.PRAGMAS]  # a twentieth of a second
    monkeypatch.setattr(database, "PRAGMAS", pragmas)
    study.engine.dispose()
    other = sqlite3.connect(path)
    with pytest.raises(STORAGE_ERRORS) as caught:
        drive(study, config, lambda: other.execute("begin immediate"))
    assert "was locked for 60 s; end what holds it" in storage_problem(caught.value)
    other.rollback()
    other.close()
    assert result(go_on(study, config)) == undisturbed


def test_a_database_that_is_deleted_is_missed_at_the_next_training(
    study: OpenStudy, config: StudyConfig, path: Path
) -> None:
    with pytest.raises(Refusal, match="was deleted or replaced while the study ran"):
        drive(study, config, path.unlink)
    assert not path.exists()  # nothing is made in its place before the user says so


def test_a_copy_that_is_put_back_under_a_running_study_goes_on_from_then(
    study: OpenStudy, config: StudyConfig, path: Path, undisturbed: list[tuple[object, ...]]
) -> None:
    copy = path.with_name("copy.db")

    def replace() -> None:
        copy.replace(path)
        for ending in ("-wal", "-shm"):
            path.with_name(f"{path.name}{ending}").unlink()

    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    with pytest.raises(Refusal, match="was deleted or replaced while the study ran"):
        drive(study, config, replace)
    assert result(go_on(study, config)) == undisturbed


def test_a_study_that_is_deleted_elsewhere_ends_the_run_and_begins_anew(
    study: OpenStudy, config: StudyConfig, undisturbed: list[tuple[object, ...]]
) -> None:
    def delete() -> None:
        optuna.delete_study(study_name=study.name, storage=study.url)

    with pytest.raises(Refusal, match="study tried was deleted while it ran"):
        drive(study, config, delete)
    again = go_on(study, config)
    assert again.uid != study.uid
    assert result(again) == undisturbed


def test_a_clock_that_is_set_back_changes_no_result(
    study: OpenStudy, config: StudyConfig, undisturbed: list[tuple[object, ...]]
) -> None:
    with time_machine.travel("2031-01-01", tick=True) as traveller:
        drive(study, config, lambda: traveller.move_to("1999-12-31"))
    assert_whole(study, TRIALS, num_epochs=1)
    assert result(study) == undisturbed


def search_run(folder: Path, study: str, *before: str, **variables: str) -> list[str]:
    environment = ["env", *(f"{name}={one}" for name, one in variables.items())]
    storage = ["--storage", f"sqlite:///{folder}/study.db", "--study", study]
    options = ["--trials", str(TRIALS), "--dataset", "cifar10-sample", "--epochs", "1"]
    machine = ["--no-references", "--device", "cpu", "--workers", "1"]
    command = [sys.executable, str(COMMAND), "run"]
    return [*environment, *before, *command, *storage, *options, *machine]


def done(command: list[str]) -> tuple[int, str]:
    """Run a command to its end; return its code and what it said."""
    process = subprocess.run(
        command,
        env={**os.environ, "COLUMNS": "300", "FAKE_SECONDS": "0.01"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in process.stdout, process.stdout
    return process.returncode, process.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("left out: a full disk, since only root may mount one of 1 MB")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # engines keep it open


@pytest.mark.slow
def test_a_disk_that_is_full_ends_the_run_and_freed_it_goes_on(small_disk: Path) -> None:
    code, output = done(search_run(small_disk, "full"))
    assert code == 2
    assert "run the same command again" in output.splitlines()[-1]
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    code, output = done(search_run(small_disk, "full"))
    assert code == 0, output
    study = open_existing(f"sqlite:///{small_disk}/study.db", "full")
    assert_whole(study, TRIALS, num_epochs=1)


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("setpriv") is None, reason="left out: read-only files need setpriv"
)
def test_a_database_that_may_not_be_written_is_named_and_left_as_it_was(tmp_path: Path) -> None:
    assert done(search_run(tmp_path, "first"))[0] == 0
    path = tmp_path / "study.db"
    for leftover in tmp_path.glob("study.db-*"):
        leftover.unlink()
    before = path.read_bytes()
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    code, output = done(search_run(tmp_path, "second", *AS_A_USER))
    tmp_path.chmod(0o755)
    assert code == 2
    (line,) = output.splitlines()
    assert "read-only" in line or "cannot lock" in line
    assert path.read_bytes() == before


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("setpriv") is None, reason="left out: read-only files need setpriv"
)
def test_a_cache_that_may_not_be_written_costs_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    homes = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    code, output = done(search_run(tmp_path, "tried", *AS_A_USER, **homes))
    assert code == 0, output
    assert_whole(open_existing(f"sqlite:///{tmp_path}/study.db", "tried"), TRIALS, num_epochs=1)


@pytest.mark.slow
def test_two_studies_run_in_one_file_at_the_same_time(tmp_path: Path) -> None:
    commands = [search_run(tmp_path, name) for name in ("one", "other")]
    running = [subprocess.Popen(one, stdout=subprocess.DEVNULL) for one in commands]
    assert [one.wait(PATIENCE) for one in running] == [0, 0]
    studies = [open_existing(f"sqlite:///{tmp_path}/study.db", one) for one in ("one", "other")]
    for study in studies:
        assert_whole(study, TRIALS, num_epochs=1)
    first, second = (result(one) for one in studies)
    assert first == second  # the same settings and seeds
    assert not {one.id for one in evaluations(studies[0])} & {
        one.id for one in evaluations(studies[1])
    }


@pytest.mark.slow
def test_a_second_driver_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    (held := tmp_path / "held").touch()
    slow = search_run(tmp_path, "tried", FAKE_HOLD=str(held))
    with subprocess.Popen(slow, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert any("architectures of" in line for line in first.stdout)
        code, output = done(search_run(tmp_path, "tried"))
        held.unlink()
        first.communicate(timeout=PATIENCE)
    assert code == 2
    last = output.splitlines()[-1]
    assert last == "search: study tried is already being run; stop that or name another"
    assert first.returncode == 0
    assert_whole(open_existing(f"sqlite:///{tmp_path}/study.db", "tried"), TRIALS, num_epochs=1)
