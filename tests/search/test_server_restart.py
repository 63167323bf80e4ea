"""A study whose PostgreSQL server restarts, whose connection breaks, whose driver is killed."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError

from search.cli import run_command
from search.config import StudyConfig
from search.driver import Driver, Limits
from search.listener import Listener
from studies import (
    OpenStudy,
    create_or_open,
    database_of,
    open_existing,
    storage_problem,
)
from studies.store.attempts import attempts
from tests.postgres import END_OTHERS, PASSWORD, Server
from tests.search.faults.whole import assert_whole, result
from tests.search.scripted import ScriptedExecutor

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parent / "study_process.py"
TRIALS = 8
DEADLINE = 60.0  # seconds
BASE = ["--dataset", "cifar10-sample", "--device", "cpu", "--epochs", "1", "--workers", "1"]


def start(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), url, str(TRIALS), "1"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=2 * DEADLINE)
    assert process.returncode == 0, errors


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def states(url: str) -> list[str]:
    """Return those of the evaluations as a reader of the database sees them."""
    engine = create_engine(database_of(url).engine_url)
    try:
        with engine.connect() as connection:
            if not engine.dialect.has_table(connection, "attention_evaluations"):
                return []
            query = text("SELECT state FROM attention_evaluations ORDER BY id")
            return list(connection.execute(query).scalars())
    finally:
        engine.dispose()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """Return what a study in a file ends with: the kind of database changes nothing."""
    url = f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/study.db"
    finish(start(url))
    return result(open_existing(url, "fake"))


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the file that holds every training up until it is removed."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "held"
    path.touch()
    monkeypatch.setenv("FAKE_HOLD", str(path))
    yield path
    path.unlink(missing_ok=True)


def test_a_study_goes_on_while_its_server_restarts(
    held: Path, server_url: str, server: Server, undisturbed: list[tuple[object, ...]]
) -> None:
    process = start(server_url)
    wait_until(lambda: states(server_url) == ["running", "proposed"])  # then it waits for news
    server.stop()
    try:
        held.unlink()
        assert process.stderr is not None
        assert "does not answer; waiting up to 120 s" in process.stderr.readline()
    finally:
        server.start()
    finish(process)
    study = open_existing(server_url, "fake")
    assert_whole(study, TRIALS, num_epochs=3)
    assert result(study) == undisturbed
    assert {one.attempt for one in attempts(study)} == {1}  # nothing was trained twice


def test_a_driver_killed_on_a_server_ends_like_an_undisturbed_one(
    held: Path, server_url: str, undisturbed: list[tuple[object, ...]]
) -> None:
    process = start(server_url)
    wait_until(lambda: states(server_url) == ["running", "proposed"])
    held.unlink()
    wait_until(lambda: states(server_url).count("complete") == 3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    finish(start(server_url))
    study = open_existing(server_url, "fake")
    assert_whole(study, TRIALS, num_epochs=3)
    assert result(study) == undisturbed


@contextmanager
def cut_at_write(beginning: str, number: int, url: str) -> Iterator[None]:
    """End all sessions between the so many-th statement that begins so and its commit."""
    done = 0
    other = create_engine(database_of(url).engine_url)

    def end(_: object, __: object, statement: str, *rest: object) -> None:
        del rest
        nonlocal done
        done += statement.startswith(beginning)
        if done == number and statement.startswith(beginning):
            done += 1  # only once
            with other.connect() as connection:
                connection.execute(text(END_OTHERS))

    event.listen(Engine, "after_cursor_execute", end)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", end)
        other.dispose()


def run(url: str, config: StudyConfig) -> OpenStudy:
    study = create_or_open(url, "tried", config.settings())
    driver = Driver(study, config, ScriptedExecutor(), listener=Listener())
    driver.run(Limits(TRIALS), lambda: False)
    return study


def test_a_connection_that_breaks_as_optuna_makes_a_trial_is_mended_by_optuna(
    server_url: str, tmp_path: Path, config: StudyConfig
) -> None:
    calm = run(f"sqlite:///{tmp_path}/calm.db", config)
    with cut_at_write("INSERT INTO trials ", 3, server_url):
        study = run(server_url, config)
    assert_whole(study, TRIALS, num_epochs=1)
    assert result(study) == result(calm)


@pytest.mark.parametrize(
    "write",
    [
        "INSERT INTO trial_params ",
        "INSERT INTO attention_evaluations ",
        "INSERT INTO attention_epochs ",
        "UPDATE attention_evaluations ",
        "UPDATE trials ",
    ],
)
def test_a_connection_that_breaks_within_a_write_leaves_a_study_that_ends_the_same(
    write: str, server_url: str, tmp_path: Path, config: StudyConfig
) -> None:
    calm = run(f"sqlite:///{tmp_path}/calm.db", config)
    with (
        cut_at_write(write, 3, server_url),
        pytest.raises((DBAPIError, StorageInternalError)) as caught,
    ):
        run(server_url, config)
    assert "the same command goes on" in storage_problem(caught.value)
    again = run(server_url, config)
    assert_whole(again, TRIALS, num_epochs=1)
    assert result(again) == result(calm)


def test_the_command_ends_in_one_line_where_its_connection_breaks_and_goes_on(
    server_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("search.session.TRAINER", "tests.search.fake_trainer:train")
    command = ["run", "--trials", str(TRIALS), "--storage", server_url, *BASE]
    with cut_at_write("INSERT INTO attention_epochs ", 2, server_url):
        assert run_command(command) == 2
    *_, line = capfd.readouterr().err.splitlines()
    assert line == (
        "search: the connection to the database broke within a step; the same command goes on"
    )
    assert "complete" in states(server_url)
    assert run_command(command) == 0
    assert_whole(open_existing(server_url, "attention"), TRIALS, num_epochs=1)


def test_no_command_shows_or_stores_the_servers_password(
    server_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("search.session.TRAINER", "tests.search.fake_trainer:train")
    named = ["--storage", server_url]
    assert run_command(["run", "--trials", "4", *named, *BASE]) == 0
    shutil.rmtree(database_of(server_url).beside("attention.front"))  # fake weights are no weights
    for command in (["status"], ["front"], ["report"], ["export", "--out", "best"], ["plot"]):
        assert run_command([*command, *named]) == 0
    shown = capfd.readouterr()
    assert f"database: {server_url}" in shown.out
    assert PASSWORD not in shown.out + shown.err
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"report.html", "MODEL_CARD.md"} <= {path.name for path in written}
    assert not [path for path in written if PASSWORD.encode() in path.read_bytes()]
    assert PASSWORD not in dump(server_url)


def dump(url: str) -> str:
    """Return all rows of the database as text."""
    engine = create_engine(database_of(url).engine_url)
    names = inspect(engine).get_table_names()
    assert "attention_sessions" in names
    with engine.connect() as connection:
        rows = [connection.execute(text(f"SELECT * FROM {name}")).all() for name in names]
    engine.dispose()
    return str(rows)
