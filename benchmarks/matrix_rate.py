"""The most this machine multiplies: the yardstick for how much of it a training uses."""

import torch

from space import cost, plain

from .timing import precision_on, timed

SIDES = {"cpu": (512, 1024, 2048), "cuda": (4096, 8192, 16384)}
NUM_REPEATS = 8
TRAINING_FLOPS = 6  # for each multiply-accumulate: two, forward and twice that backward


def matrix_rate(device: torch.device) -> float:
    """Return the FLOP per second of the best square product, in the precision of trainings.

    On a CPU it is of one thread.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return max(_rate(side, device) for side in SIDES[device.type])
    finally:
        torch.set_num_threads(before)


def share_of_rate(backbone: str, images_per_second: float, rate: float) -> float:
    """Return the part of the rate that training the plain network so fast needs."""
    return TRAINING_FLOPS * cost(plain(backbone)).macs * images_per_second / rate


def _rate(side: int, device: torch.device) -> float:
    dtype = getattr(torch, precision_on(device))
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    found = torch.empty_like(left)

    def product() -> None:
        torch.mm(left, right, out=found)

    product()
    return 2 * side**3 / min(timed(product, device) for _ in range(NUM_REPEATS))
