"""One operation on a study, timed in a process of its own, so that its peak memory is its own.

    python -m benchmarks.scales.operations OPERATION URL

prints its seconds, those of the processor, and the peak of memory, as JSON.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from search.board import Board
from search.endings import end
from search.executors import Done
from search.executors.jobs import Before
from search.listener import Listener
from search.proposals import next_proposal
from studies import Evaluation, Outcome, create_or_open

from .study import made_up_config

MANY = 1_000_000  # trials: there is always one more to ask for
TIMES = 5  # an operation that takes no time is repeated
MIB = 1024  # KiB


@dataclass
class Clock:
    """The seconds of what was timed, on the wall and of the processor."""

    wall: list[float]
    cpu: list[float]

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Time what is done within."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)


def board_of(url: str, sampler: str) -> Board:
    """Return a driver's memory of the study, all of it read."""
    study = create_or_open(url, "scale", made_up_config().settings())
    board = Board(study, made_up_config(sampler))
    board.read()
    return board


def proposed(board: Board) -> Evaluation:
    """Return the next proposal, as the driver has it."""
    row = next_proposal(board, MANY)
    assert row is not None, "there are always more to ask for"
    board.known[row.id] = row
    return row


def ask(clock: Clock, url: str, sampler: str = "known-cost") -> None:
    """Time proposals; the first of a process, which reads all of Optuna's trials, is left out."""
    board = board_of(url, sampler)
    proposed(board)
    for _ in range(TIMES):
        with clock.timed():
            proposed(board)


def ask_tpe(clock: Clock, url: str) -> None:
    """Time proposals of Optuna's default."""
    ask(clock, url, "tpe")


def tell(clock: Clock, url: str) -> None:
    """Time an ending: stored and told. The front, which may wait, is timed apart."""
    board = board_of(url, "random")
    for _ in range(TIMES):
        row = replace(proposed(board), state="running")
        with clock.timed():
            end(board, row, _done(row), Listener())
            board.learn()
            board.store_front()


def front(clock: Clock, url: str) -> None:
    """Time what may follow an ending: all estimates anew, and the front stored."""
    board = board_of(url, "random")
    board.learn()
    with clock.timed():
        board.store_front(now=True)


def resume(clock: Clock, url: str) -> None:
    """Time from the command to the first training that could be submitted."""
    with clock.timed():
        proposed(board_of(url, "known-cost"))


def _done(row: Evaluation) -> Done:
    outcome = Outcome(0.9, bytes(625), row.cost.macs, row.cost.params, 300.0, 1000.0)
    return Done(row.id, row.attempt, outcome, Before())


def _command(*words: str) -> Callable[[Clock, str], None]:
    """Return what times a command of the program, imports apart."""

    def run(clock: Clock, url: str) -> None:
        from search.cli import app

        out = ["--out", str(Path(url.removeprefix("sqlite:///")).with_suffix(".html"))]
        more = out if "report" in words else []
        with clock.timed():
            app([*words, "--storage", url, "--study", "scale", *more], standalone_mode=False)

    return run


OPERATIONS: dict[str, Callable[[Clock, str], None]] = {
    "ask": ask,
    "ask, tpe": ask_tpe,
    "tell": tell,
    "estimates and front": front,
    "resume": resume,
    "search status": _command("status"),
    "search front": _command("front"),
    "search report": _command("report"),
}


def peak_mib() -> float:
    """Return the peak of this process's memory; what `getrusage` says holds its parent's too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) / MIB


def main() -> None:
    """Run the operation and print what it took."""
    clock = Clock([], [])
    name, url = sys.argv[1:]
    OPERATIONS[name](clock, url)
    found = {"wall": median(clock.wall), "cpu": median(clock.cpu), "mib": peak_mib()}
    sys.stderr.write(json.dumps(found | {"n": len(clock.wall)}) + "\n")


if __name__ == "__main__":
    main()
