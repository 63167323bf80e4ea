"""A trainer without torch: its accuracy depends on the architecture and the seed alone."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from search.executors.jobs import Job, JobFailedError, JobStoppedError, Probed, Result, ShouldStop
from space import Architecture, cost, digest
from studies import Epoch, Outcome

PATIENCE = 30.0  # seconds


def train(job: Job, should_stop: ShouldStop) -> Iterator[Result]:
    """Yield the protocol's epochs and an outcome; FAKE_* variables choose what goes wrong."""
    architecture = Architecture.from_json(job.architecture)
    price = cost(architecture)
    _misbehave(architecture, job)
    if job.probe_seconds:
        time.sleep(float(os.environ.get("FAKE_PROBE_SECONDS", "0")))
        yield Probed(1000.0)
        return
    accuracy = fake_accuracy(digest(architecture), job.seed)
    for number in range(1, job.protocol.epochs + 1):
        if should_stop():
            raise JobStoppedError
        _hold()
        time.sleep(float(os.environ.get("FAKE_SECONDS", "0.01")))
        yield Epoch(number, 2.0 / number, 2.0 / number, accuracy * number / 10, 0.01)
        if number == int(os.environ.get("FAKE_WAIT", "0")):
            _wait(should_stop)
    if job.keep is not None and accuracy >= job.keep.above:
        job.keep.weights.write_text(f"weights of seed {job.seed}")
    yield Outcome(accuracy, fake_bits(accuracy, job.seed), price.macs, price.params, 0.1, 1000.0)


def fake_accuracy(key: str, seed: int) -> float:
    """Return 0.9 plus what the digest is worth plus the noise of the seed."""
    worth = int(key[:4], 16) / 65535 * 0.02
    noise = int(hashlib.sha256(str(seed).encode()).hexdigest()[:4], 16) / 65535 * 0.004
    return 0.9 + worth + noise


def fake_bits(accuracy: float, seed: int) -> bytes:
    """Return correctness bits of about this accuracy for the sample's 1,000 images."""
    stream = b"".join(hashlib.sha256(f"{seed}/{i}".encode()).digest() for i in range(32))
    right = [byte < 256 * accuracy for byte in stream]
    return bytes(
        sum(right[start + bit] << (7 - bit) for bit in range(8)) for start in range(0, 1000, 8)
    )


def _wait(should_stop: ShouldStop) -> None:
    """Wait to be told to stop, and go on if that never comes."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if should_stop():
            raise JobStoppedError
        time.sleep(0.01)


def _hold() -> None:
    """Wait as long as the file that FAKE_HOLD names is there."""
    path, deadline = os.environ.get("FAKE_HOLD"), time.monotonic() + PATIENCE
    while path is not None and Path(path).exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def _misbehave(architecture: Architecture, job: Job) -> None:
    if os.environ.get("FAKE_FAIL") == "all":
        raise JobFailedError("the loss became nan in epoch 1")
    if os.environ.get("FAKE_FAIL") == "attention" and not architecture.is_plain:
        raise JobFailedError("out of memory", out_of_memory=True)
    if os.environ.get("FAKE_DIE") == "first" and job.attempt == 1 and not job.probe_seconds:
        os._exit(7)
    if os.environ.get("FAKE_DIE") == "always" and not job.probe_seconds:
        os._exit(7)
