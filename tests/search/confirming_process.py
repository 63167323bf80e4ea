"""The command line in a process of its own: no torch to train, to read the test or to time."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from search import session
from search.cli import run_command
from search.commands import confirm
from search.training import testing
from space import Architecture, digest
from studies.confirmation.ledger import LedgerEntry, is_recorded
from tests.search.fake_trainer import fake_accuracy

READING_SECONDS = 0.05
ReadTest = Callable[[Architecture, Path, LedgerEntry], tuple[float, bytes]]


def reader(*_: object) -> ReadTest:
    """Return what takes its time to look up a model's seed in its weights."""

    def read(architecture: Architecture, weights: Path, entry: LedgerEntry) -> tuple[float, bytes]:
        assert is_recorded(entry)
        time.sleep(READING_SECONDS)
        seed = int(weights.read_text().split()[-1])
        return fake_accuracy(digest(architecture), seed), b"\xff"

    return read


if __name__ == "__main__":
    session.TRAINER = "tests.search.fake_trainer:train"
    testing.reader = reader  # type: ignore[assignment] # it takes anything
    confirm._ratios = lambda _bench, plan: (1.0,) * len(plan.arms)  # type: ignore[assignment]
    print(os.getpid(), flush=True)  # noqa: T201 - the imports are behind us
    sys.exit(run_command(sys.argv[1:]))
