"""How a benchmark times: steps take turns, so that other work on the machine meets them all."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from random import Random
from time import perf_counter

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from search.config import Precision

from .figures import Median, median_of

DEVICES = ("cpu", "cuda")
NUM_WARMUPS = 2
PROGRESS = Console(stderr=True)


def interleaved(
    steps: Mapping[str, Callable[[], object]], num_rounds: int, device: torch.device
) -> dict[str, list[float]]:
    """Return each step's seconds, one for each round; a round runs every step in a random order.

    The first rounds warm up and are left out.
    """
    shuffled = Random(0)
    names = list(steps)
    turns = [
        name
        for _ in range(NUM_WARMUPS + num_rounds)
        for name in shuffled.sample(names, len(names))
    ]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for name in track(turns, "steps", console=PROGRESS, transient=True):
        seconds[name].append(timed(steps[name], device))
    return {name: found[NUM_WARMUPS:] for name, found in seconds.items()}


def timed(step: Callable[[], object], device: torch.device) -> float:
    """Return the seconds until the device has finished the step."""
    _settle(device)
    started = perf_counter()
    step()
    _settle(device)
    return perf_counter() - started


def ratio(seconds: list[float], reference: list[float]) -> Median:
    """Return the median of each round's seconds over the reference's of the same round."""
    return median_of(list(np.divide(seconds, reference)))


def device_of(text: str) -> torch.device:
    """Return the device of an option."""
    if text not in DEVICES:
        raise ArgumentTypeError(f"must be one of {', '.join(DEVICES)}, got {text}")
    if text == "cuda" and not torch.cuda.is_available():
        raise ArgumentTypeError("cuda needs a GPU that torch can use; use cpu")
    return torch.device(text)


def precision_on(device: torch.device) -> Precision:
    """Return what networks are timed in: bf16 on a GPU, fp32 on a CPU, which may emulate bf16."""
    return "bfloat16" if device.type == "cuda" else "float32"


def _settle(device: torch.device) -> None:
    """Wait for what was only queued."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
