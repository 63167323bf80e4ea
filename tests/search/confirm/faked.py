"""What the tests of `search confirm` share: a trainer and a reader without torch."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from search.executors import Event, Failed, Job
from space import Architecture, digest
from studies.confirmation.ledger import LedgerEntry, is_recorded
from tests.search.fake_trainer import fake_accuracy
from tests.search.scripted import succeed

FAILS: list[Callable[[Job], bool]] = []  # what the workers fail at now
FEW = ["confirm", "--top", "1", "--device", "cpu", "--workers", "1"]
ASK = [*FEW, "--seeds", "2"]


def has_attention(job: Job) -> bool:
    """Say whether it trains anything but a plain network."""
    return not Architecture.from_json(job.architecture).is_plain


def reply(job: Job) -> list[Event]:
    """Do a job as a worker does, its weights included."""
    if any(fails(job) for fails in FAILS):
        return [Failed(job.id, job.attempt, "out of memory", worker_is_spent=True)]
    if job.keep is not None:
        job.keep.weights.write_text(f"weights of seed {job.seed}")
    return succeed(job)


class Reader:
    """Reads a model's test accuracy from its digest and seed; counts, and may be cut short."""

    def __init__(self) -> None:
        self.count = 0
        self.stop_after = 10**9

    def read(
        self, architecture: Architecture, weights: Path, entry: LedgerEntry
    ) -> tuple[float, bytes]:
        assert is_recorded(entry)
        if self.count == self.stop_after:
            raise KeyboardInterrupt
        self.count += 1
        seed = int(weights.read_text().split()[-1])
        return fake_accuracy(digest(architecture), seed), b"\xff"


def as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found
