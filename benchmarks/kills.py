"""What five kills cost a study of ten minutes.

    python -m benchmarks.kills [--seconds 600] [--kills 5] [--trial-seconds 6] [--out FILE]

Two studies of `search run` side by side, whose trainings sleep: one runs undisturbed, the driver
of the other is killed (SIGKILL) at random moments and started again at once. Both reach the same
total; the figures are the ratio of their wall times, and what was begun twice.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from studies import evaluations, open_existing

from .figures import parser_of, positive, publish
from .slept import SECONDS

WORKERS, EPOCHS = 2, 6
COMMAND = (
    "from search import session; from search.cli import main; "
    "session.TRAINER = 'benchmarks.slept:train'; main()"
)


@dataclass(frozen=True, slots=True)
class Run:
    """How long a study took to its total, and what was begun more than once."""

    wall_seconds: float
    num_kills: int
    num_trainings: int
    num_begun_again: int


def run(folder: Path, trials: int, trial_seconds: float, kills: list[float]) -> Run:
    """Run a study to its total; its driver is killed at the given seconds after the start."""
    options = ["--trials", str(trials), "--epochs", str(EPOCHS), "--workers", str(WORKERS)]
    data = ["--dataset", "cifar10-sample", "--device", "cpu", "--no-references"]
    command = [sys.executable, "-c", COMMAND, "run", *options, *data]
    variables = {**os.environ, SECONDS: str(trial_seconds), "PYTHONPATH": str(Path.cwd())}
    began, left = time.monotonic(), sorted(kills)
    while True:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.DEVNULL)
        try:
            wait = began + left[0] - time.monotonic() if left else None
            code = process.wait(None if wait is None else max(0.0, wait))
            break
        except subprocess.TimeoutExpired:
            left.pop(0)
            process.kill()
            process.wait()
    seconds = time.monotonic() - began
    assert code == 0, f"the study ended with code {code}"
    found = evaluations(open_existing(f"sqlite:///{folder}/study.db", "attention"))
    again = sum(one.attempt - 1 for one in found)
    return Run(seconds, len(kills) - len(left), sum(one.counts for one in found), again)


def measured(options: Namespace) -> dict[str, Run]:
    """Run both studies at the same time, so that other work on the machine meets both."""
    trials = max(1, round(options.seconds * WORKERS / options.trial_seconds))
    drawn = random.Random(options.seed)
    kills = [drawn.uniform(0.05, 0.95) * options.seconds for _ in range(options.kills)]
    folder = tempfile.TemporaryDirectory
    with folder() as calm, folder() as wild, ThreadPoolExecutor(2) as both:
        first = both.submit(run, Path(calm), trials, options.trial_seconds, [])
        second = both.submit(run, Path(wild), trials, options.trial_seconds, kills)
    return {"undisturbed": first.result(), "killed": second.result()}


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--seconds", type=positive, default=600)
    parser.add_argument("--kills", type=positive, default=5)
    parser.add_argument("--trial-seconds", type=positive, default=6)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Print both wall times and their ratio."""
    options = parsed()
    found = measured(options)
    title = f"{WORKERS} workers, trainings of {options.trial_seconds} s in {EPOCHS} epochs"
    table = Table("", "wall time, s", "kills", "trainings", "begun again", title=title)
    for name, one in found.items():
        numbers = one.num_kills, one.num_trainings, one.num_begun_again
        table.add_row(name, f"{one.wall_seconds:.1f}", *map(str, numbers))
    ratio = found["killed"].wall_seconds / found["undisturbed"].wall_seconds
    facts = {name: asdict(one) for name, one in found.items()}
    publish(table, {**facts, "ratio": ratio}, options.out, [f"killed / undisturbed: {ratio:.3f}"])


if __name__ == "__main__":
    main()
