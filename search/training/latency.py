"""How long forward passes take, alone on the device, as ratios to the first network's."""

import time
from collections.abc import Sequence
from statistics import median

import torch
from torch import Tensor, nn

from backbones import build
from space import Architecture

BATCH = 32
ROUNDS = 15


def latency_ratios(architectures: Sequence[Architecture], device: str) -> list[float]:
    """Return the median time of a forward pass of each over the first's, in fp32.

    Rounds are interleaved, so that other work on the machine meets all alike.
    """
    place = torch.device(device)
    x_BCHW = torch.randn(BATCH, 3, 32, 32, device=place).to(memory_format=torch.channels_last)
    models = [
        build(one).to(place).to(memory_format=torch.channels_last).eval() for one in architectures
    ]
    with torch.inference_mode():
        for model in models:
            _seconds(model, x_BCHW)  # the first pass chooses kernels
        rounds = [[_seconds(model, x_BCHW) for model in models] for _ in range(ROUNDS)]
    return [median(one[index] / one[0] for one in rounds) for index, _ in enumerate(architectures)]


def _seconds(model: nn.Module, x_BCHW: Tensor) -> float:
    if x_BCHW.is_cuda:
        torch.cuda.synchronize()
    started = time.perf_counter()
    model(x_BCHW)
    if x_BCHW.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - started
