"""What is timed for `search bench`: training steps through the loop itself, and matrix products.

The images are noise: no speed depends on what they show.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from time import perf_counter

import numpy as np
import torch
from torch import nn

from search.config import Precision, Protocol
from search.executors.environments import num_cores
from search.executors.jobs import Job, JobFailedError, Probed, ShouldStop
from search.speeds import Machine
from space import IMAGE_SIDE, NUM_CLASSES, Architecture

from .data import Split
from .device import Device, cpu_name
from .loop import Images, TrainingStoppedError, on_device, train
from .state import TrainingState
from .worker import OUT_OF_MEMORY, is_out_of_memory, seeded_model

NUM_STEPS = {"cpu": 1, "cuda": 8}  # timed together: a GPU's step is short, and is waited for once
SIDES = {"cpu": (512, 1024), "cuda": (2048, 4096, 8192)}  # of square matrices
DTYPES: dict[Precision, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}
NUM_PRODUCTS = 4
STILL = 1e-4  # a learning rate that leaves the weights sound, however often noise is learnt


def step_job(job: Job, _should_stop: ShouldStop) -> Iterator[Probed]:
    """Yield the speed of a few steps; the network stays in the worker for the next round.

    Raises:
        JobFailedError: out of memory.
    """
    try:
        model = _kept(job.architecture, job.seed)
        images = noise(job.protocol, job.device)
        yield Probed(job.protocol.batch_size / step_seconds(model, images, job.protocol))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise JobFailedError(OUT_OF_MEMORY, out_of_memory=True) from error


def step_seconds(model: nn.Module, images: Images, protocol: Protocol) -> float:
    """Return the seconds of one step: crops, forward, backward and optimiser; no validation.

    The loop takes `NUM_STEPS` steps and is stopped before the next.
    """
    device = images.train_NPPC.device
    num_steps = NUM_STEPS[device.type]
    once = protocol.model_copy(update={"epochs": 1, "learning_rate": STILL})
    ticks: list[float] = []

    def tick() -> bool:
        if len(ticks) in (0, num_steps):
            _settle(device)  # only here: between steps the host may run ahead
        ticks.append(perf_counter())
        return len(ticks) > num_steps

    with suppress(TrainingStoppedError):
        list(train(TrainingState(model, once, 0, images.device), images, should_stop=tick))
    assert len(ticks) == num_steps + 1, "there are images for one more step"
    return (ticks[-1] - ticks[0]) / num_steps


@lru_cache(maxsize=8)
def noise(protocol: Protocol, device: str) -> Images:
    """Return random images, enough for the steps and the one that is not taken."""
    number = protocol.batch_size * (NUM_STEPS[device] + 1)
    shape = (number, IMAGE_SIDE, IMAGE_SIDE, 3)
    bytes_NHWC = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    labels_N = (np.arange(number) % NUM_CLASSES).astype(np.uint8)
    none = bytes_NHWC[:0], labels_N[:0]  # the loop is stopped before it validates
    return on_device(
        Split(bytes_NHWC, labels_N, *none), protocol.crop_padding, torch.device(device)
    )


def matrix_rate(device: str, precision: Precision) -> float:
    """Return the most FLOP per second of a few products of square matrices, on one thread."""
    on, dtype = torch.device(device), DTYPES[precision]
    with _one_thread():
        return max(_product_rate(side, on, dtype) for side in SIDES[device])


def machine_of(device: Device) -> Machine:
    """Return what this machine is called, and how many workers it feeds."""
    on_gpu = device.name == "cuda"
    name = torch.cuda.get_device_name() if on_gpu else cpu_name()
    units = device.count if on_gpu else num_cores()
    return Machine(device.name, name, units, device.precision, torch.__version__)


@lru_cache(maxsize=64)
def _kept(architecture: str, seed: int) -> nn.Module:
    return seeded_model(Architecture.from_json(architecture), seed)


def _product_rate(side: int, device: torch.device, dtype: torch.dtype) -> float:
    left, right = (torch.rand(side, side, device=device, dtype=dtype) for _ in range(2))
    seconds = []
    _settle(device)
    for _ in range(NUM_PRODUCTS):
        started = perf_counter()
        torch.mm(left, right)
        _settle(device)
        seconds.append(perf_counter() - started)
    return 2 * side**3 / min(seconds)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread, as a worker does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _settle(device: torch.device) -> None:
    """Wait for what was only queued."""
    if device.type == "cuda":
        torch.cuda.synchronize()
