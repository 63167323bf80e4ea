"""Ctrl-C and its like: once gently, twice at once; and the way on."""

import io
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from search import session
from search.config import config_of
from search.driver import Limits
from search.executors import Event
from search.interruption import gentle_interruption
from search.listener import Listener
from search.plan import Plan
from studies import evaluations, open_existing
from tests.search.scripted import SETTINGS, ScriptedExecutor
from tests.search.watching import RUNNING, until_stored

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
    until_stored(tmp_path / "study.db", RUNNING, 2)
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


def signalled(*numbers: signal.Signals) -> int:
    """Return how many of the signals are handled before one raises."""
    with gentle_interruption() as interrupted:
        for count, number in enumerate(numbers):
            try:
                os.kill(os.getpid(), number)
            except KeyboardInterrupt:
                return count
            assert interrupted()
    return len(numbers)


@pytest.fixture
def heard() -> Iterator[None]:
    """Let hang-ups be heard, also where `nohup` started the tests."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_gentle_and_the_second_raises(first: signal.Signals) -> None:
    assert signalled(first, signal.SIGINT) == 1
    assert signalled(first, signal.SIGHUP, signal.SIGTERM) == 2  # a terminal may say it twice


@pytest.mark.usefixtures("heard")
def test_from_the_second_signal_on_nothing_disturbs_what_is_closed() -> None:
    before = signal.getsignal(signal.SIGINT)  # ignored, where a shell began this behind it
    with gentle_interruption():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_signal_that_a_library_swallows_is_raised_when_it_is_asked_for() -> None:
    with gentle_interruption() as interrupted:
        os.kill(os.getpid(), signal.SIGINT)
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupted()


def test_what_nohup_started_does_not_hear_a_closed_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with gentle_interruption() as interrupted:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupted()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("heard")
def test_a_signal_within_a_print_is_no_second_print(monkeypatch: pytest.MonkeyPatch) -> None:
    class Raw(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            os.kill(os.getpid(), signal.SIGINT)
            return len(data)  # type: ignore[arg-type] # bytes

    stream = io.TextIOWrapper(io.BufferedWriter(Raw()), write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    with gentle_interruption() as interrupted:
        print("trial 7", flush=True)  # noqa: T201
        assert interrupted()
        monkeypatch.undo()


CLOSED = """
import os, sys, time
from search.interruption import gentle_interruption
os.open(os.ttyname(1), os.O_RDWR)  # the first terminal that a session opens is its own
with gentle_interruption() as interrupted:
    print("ready", flush=True)
    while not interrupted():
        time.sleep(0.01)
    print("nobody reads this", flush=True)
    open(sys.argv[1], "w").close()
"""


@pytest.mark.usefixtures("heard")
def test_what_prints_to_a_closed_terminal_goes_on(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CLOSED, str(tmp_path / "done")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    while b"ready" not in seen:
        seen += os.read(ours, 1000)
    os.close(ours)
    assert process.wait(PATIENCE) == 0
    assert (tmp_path / "done").exists()


def test_what_ran_is_taken_back_even_if_closing_the_workers_is_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(ScriptedExecutor):
        def events(self, timeout: float) -> list[Event]:  # noqa: ARG002 - it ends first
            raise KeyboardInterrupt

        def size(self) -> int:
            return 1

        def close(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(session, "_workers", lambda *_: Cut())
    monkeypatch.setattr(session, "worker_speed", lambda *_: None)
    url = f"sqlite:///{tmp_path}/study.db"
    plan = Plan(config_of(SETTINGS), url, "tried", Limits(3), "cpu", ({},))
    with pytest.raises(KeyboardInterrupt):
        session.run_session(plan, lambda _line: None, lambda _done: nullcontext(Listener()))
    rows = evaluations(open_existing(url, "tried"))
    assert {(row.state, row.attempt) for row in rows} == {("proposed", 1)}
    assert rows


@pytest.mark.slow
@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(
    ("number", "states"), [(signal.SIGTERM, {"proposed"}), (signal.SIGHUP, {"complete"})]
)
def test_a_signal_to_the_whole_group_counts_against_no_training(
    number: signal.Signals, states: set[str], tmp_path: Path
) -> None:
    """SIGTERM ends the workers, too, where each saves what it has; a hang-up the driver alone."""
    seconds = 30.0 if number == signal.SIGTERM else 0.5
    process = start(tmp_path, "--trials", "10", "--no-references", seconds=seconds)
    until_stored(tmp_path / "study.db", RUNNING, 2)
    os.killpg(process.pid, number)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, output
    assert "finishing what runs" in output
    assert "Traceback" not in output
    rows = evaluations(open_existing(f"sqlite:///{tmp_path}/study.db", "attention"))
    assert {row.attempt for row in rows} == {1}
    assert {row.state for row in rows[:2]} == states
    assert {row.state for row in rows[2:]} <= {"proposed"}
