"""A trainer that sleeps through its epochs, for benchmarks of what is around a training.

What it keeps of a network is an empty file.
"""

import os
import time
from collections.abc import Iterator
from random import Random

from search.config import NUM_VALIDATION
from search.executors.jobs import Job, JobStoppedError, Probed, Result, ShouldStop
from space import Architecture, cost
from studies import Epoch, Outcome

SECONDS = "SLEPT_SECONDS"  # of a training; a variable of the worker


def train(job: Job, should_stop: ShouldStop) -> Iterator[Result]:
    """Yield made-up epochs of equal length and an outcome with the seconds that all of it took."""
    if job.probe_seconds:
        yield Probed(1000.0)
        return
    began, epochs = time.perf_counter(), job.protocol.epochs
    generator = Random(job.seed)
    num_images = NUM_VALIDATION[job.protocol.dataset]
    accuracy = 0.9 + 0.002 * generator.gauss(0, 1)
    for number in range(1, epochs + 1):
        if should_stop():
            raise JobStoppedError
        end = began + float(os.environ[SECONDS]) * number / epochs
        time.sleep(max(0.0, end - time.perf_counter()))
        yield Epoch(number, 1.0, 1.0, accuracy, 1.0)
    if job.keep is not None:
        job.keep.weights.touch()
    price = cost(Architecture.from_json(job.architecture))
    bits = generator.getrandbits(num_images).to_bytes(num_images // 8, "big")
    seconds = time.perf_counter() - began
    yield Outcome(accuracy, bits, price.macs, price.params, seconds, 1000.0)
