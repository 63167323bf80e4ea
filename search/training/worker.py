"""What a worker does with a job: build, count, train, report."""

import time
from collections.abc import Iterator
from functools import lru_cache
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
from search.executors.jobs import (
    Job,
    JobFailedError,
    JobStoppedError,
    Probed,
    Result,
    ShouldStop,
)
from space import Architecture, cost
from studies import Epoch, Outcome, Times

from .augment import normalised
from .checkpoints import Checkpoints
from .data import load
from .loop import (
    Images,
    TrainingDivergedError,
    TrainingStoppedError,
    num_steps_of,
    on_device,
    train,
)
from .probe import probed
from .state import TrainingState

OUT_OF_MEMORY = "out of memory; a smaller --batch-size may fit"
GATE_IMAGES, GATE_BATCH = 128, 16  # a map of 1,024 positions squared is 4 MB an image


def train_job(job: Job, should_stop: ShouldStop) -> Iterator[Result]:
    """Yield the epochs of one training, then its outcome; of a probe, what it found.

    Raises:
        JobFailedError: out of memory, a loss that is no number, or a cost unlike the formula's.
        JobStoppedError: the driver asked for it.
    """
    try:
        yield from _probe(job, should_stop) if job.probe_seconds else _train(job, should_stop)
    except TrainingDivergedError as error:
        raise JobFailedError(str(error)) from error
    except TrainingStoppedError as error:
        raise JobStoppedError from error
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise JobFailedError(OUT_OF_MEMORY, out_of_memory=True) from error


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


def images_of(
    protocol: Protocol, data_dir: Path | None, device: str, *, with_validation: bool = False
) -> Images:
    """Return the study's images on the device; a worker keeps them between jobs.

    With the validation images it trains on them, too.
    """
    split = protocol.dataset, protocol.data_seed, protocol.train_images, with_validation
    return _images(split, protocol.crop_padding, data_dir, device)


@lru_cache(maxsize=1)
def _images(
    split: tuple[str, int, int, bool], crop_padding: int, data_dir: Path | None, device: str
) -> Images:
    dataset, data_seed, num_train, with_validation = split
    found = load(dataset, data_dir, data_seed=data_seed, num_train=num_train)
    pooled = found.pooled() if with_validation else found
    return on_device(pooled, crop_padding, torch.device(device))


def _train(job: Job, should_stop: ShouldStop) -> Iterator[Epoch | Outcome]:
    arrived = time.perf_counter()
    architecture = Architecture.from_json(job.architecture)
    measured = measure(seeded_model(architecture, job.seed))
    _refuse_other_cost(architecture, measured)
    images = images_of(job.protocol, job.data_dir, job.device, with_validation=job.with_validation)
    checkpoints = Checkpoints(job, num_steps_of(images, job.protocol))
    state, shown = checkpoints.begun(lambda: _new_state(job, architecture, images))
    yield from shown.epochs
    start_up, last = 0.0, None
    trained = train(
        state, images, compare_averaging=job.compare_averaging, should_stop=should_stop
    )
    for epoch, found in trained:
        if last is None:  # the first optimiser of a process takes seconds of imports, in `train`
            start_up = time.perf_counter() - arrived - epoch.seconds
        shown.add(epoch, found.seconds)
        last = found
        yield epoch
        checkpoints.keep(state, shown)
    assert last is not None, "a protocol has an epoch that no checkpoint is written behind"
    ended = time.perf_counter()
    if job.keep is not None and last.accuracy >= job.keep.above:
        from .keeping import keep  # matplotlib takes a second, and most trainings do without

        keep(job.keep, state.model, architecture, images)
    gates = as_plain(gates_of(state.model, images))
    closing, validating = time.perf_counter() - ended, shown.validation_seconds
    yield Outcome(
        last.accuracy,
        last.correct,
        measured.macs,
        measured.params,
        shown.seconds,
        job.protocol.epochs * len(images.train_labels_N) / shown.seconds,
        gates,
        Times(start_up, shown.seconds - validating, validating, closing),
        last.unaveraged,
    )
    checkpoints.forget()


def _new_state(job: Job, architecture: Architecture, images: Images) -> TrainingState:
    model = seeded_model(architecture, job.seed)
    return TrainingState(model, job.protocol, job.seed, images.device)


def gates_of(model: nn.Module, images: Images) -> dict[str, ModuleStatistics]:
    """Return what each attention module does on some validation images."""
    few_BCHW = normalised(images.validation_NHWC[:GATE_IMAGES])
    return gate_statistics(model, few_BCHW.split(GATE_BATCH))


def _probe(job: Job, should_stop: ShouldStop) -> Iterator[Probed]:
    images = images_of(job.protocol, job.data_dir, job.device)
    model = seeded_model(Architecture.from_json(job.architecture), job.seed)
    yield probed(model, images, job.protocol, seconds=job.probe_seconds, should_stop=should_stop)


def _refuse_other_cost(architecture: Architecture, measured: Measured) -> None:
    formula = cost(architecture)
    if (formula.macs, formula.params) != (measured.macs, measured.params):
        raise JobFailedError(
            f"the network has {measured.macs} MACs and {measured.params} params, the formula "
            f"{formula.macs} and {formula.params}"
        )
