"""What a worker does with a job: build, count, train, report."""

import time
from collections.abc import Iterator
from functools import lru_cache
from math import ceil
from pathlib import Path

import torch
from torch import nn

from backbones import (
    Measured,
    ModuleStatistics,
    as_plain,
    build,
    gate_statistics,
    measure,
)
from search.config import Protocol
from search.executors.jobs import Job, JobFailedError, JobStoppedError, ShouldStop
from space import Architecture, cost
from studies import Epoch, Outcome

from .augment import normalised
from .data import load
from .loop import Images, TrainingDivergedError, TrainingStoppedError, on_device, train

OUT_OF_MEMORY = "out of memory; a smaller --batch-size may fit"
GATE_IMAGES, GATE_BATCH = 128, 16  # a map of 1,024 positions squared is 4 MB an image
PROBE_STEPS = 8  # the first two warm up and are not timed


def train_job(job: Job, should_stop: ShouldStop) -> Iterator[Epoch | Outcome]:
    """Yield the epochs of one training, then its outcome.

    Raises:
        JobFailedError: out of memory, a loss that is no number, or a cost unlike the formula's.
        JobStoppedError: the driver asked for it.
    """
    try:
        yield from _probe(job, should_stop) if job.probe else _train(job, should_stop)
    except TrainingDivergedError as error:
        raise JobFailedError(str(error)) from error
    except TrainingStoppedError as error:
        raise JobStoppedError from error
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise JobFailedError(OUT_OF_MEMORY, worker_is_spent=True) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether memory ran out; on a CPU torch says so in a plain RuntimeError."""
    kinds = (torch.OutOfMemoryError, MemoryError)
    signs = ("out of memory", "ALLOC_FAILED", "can't allocate memory")
    return isinstance(error, kinds) or any(sign in str(error) for sign in signs)


def seeded_model(architecture: Architecture, seed: int) -> nn.Module:
    """Return the network with the first weights of this seed, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(architecture)


@lru_cache(maxsize=1)
def images_of(protocol: Protocol, data_dir: Path | None, device: str) -> Images:
    """Return the study's images on the device; a worker keeps them between jobs."""
    split = load(
        protocol.dataset,
        data_dir,
        data_seed=protocol.data_seed,
        num_train=protocol.train_images,
    )
    return on_device(split, protocol, torch.device(device))


def _train(job: Job, should_stop: ShouldStop) -> Iterator[Epoch | Outcome]:
    architecture = Architecture.from_json(job.architecture)
    model = seeded_model(architecture, job.seed)
    measured = measure(model)
    _refuse_other_cost(architecture, measured)
    images = images_of(job.protocol, job.data_dir, job.device)
    seconds, last = 0.0, None
    for epoch, found in train(model, images, job.protocol, seed=job.seed, should_stop=should_stop):
        seconds += epoch.seconds
        last = found
        yield epoch
    assert last is not None, "a protocol has at least one epoch"
    speed = job.protocol.epochs * len(images.train_labels_N) / seconds
    yield Outcome(
        last.accuracy,
        last.correct,
        measured.macs,
        measured.params,
        seconds,
        speed,
        as_plain(gates_of(model, images)),
    )


def gates_of(model: nn.Module, images: Images) -> dict[str, ModuleStatistics]:
    """Return what each attention module does on some validation images."""
    few_BCHW = normalised(images.validation_NHWC[:GATE_IMAGES])
    return gate_statistics(model, few_BCHW.split(GATE_BATCH))


def _probe(job: Job, should_stop: ShouldStop) -> Iterator[Outcome]:
    """Time some steps of the network and report its training images per second."""
    images = images_of(job.protocol, job.data_dir, job.device)
    batch = min(job.protocol.batch_size, len(images.train_labels_N))
    model = seeded_model(Architecture.from_json(job.architecture), job.seed)
    few = Images(
        images.train_NPPC[: batch * PROBE_STEPS],
        images.train_labels_N[: batch * PROBE_STEPS],
        images.validation_NHWC[:1],
        images.validation_labels_N[:1],
    )
    ticks: list[float] = []

    def tick() -> bool:
        if images.train_NPPC.is_cuda:
            torch.cuda.synchronize()  # the host runs ahead of the device
        ticks.append(time.perf_counter())
        return should_stop()

    once = job.protocol.model_copy(update={"epochs": 1, "batch_size": batch})
    list(train(model, few, once, seed=job.seed, should_stop=tick))
    steps = ceil(len(few.train_labels_N) / batch)
    first, last = min(2, steps - 1), steps - 1
    seconds = ticks[last] - ticks[first] if last > first else time.perf_counter() - ticks[0]
    speed = max(1, last - first) * batch / seconds
    yield Outcome(0.0, b"", 0, 0, seconds, speed)


def _refuse_other_cost(architecture: Architecture, measured: Measured) -> None:
    formula = cost(architecture)
    if (formula.macs, formula.params) != (measured.macs, measured.params):
        raise JobFailedError(
            f"the network has {measured.macs} MACs and {measured.params} params, the formula "
            f"{formula.macs} and {formula.params}"
        )
