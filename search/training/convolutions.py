"""Which convolutions of a network pay for another form, and that form while it trains.

Shapes: B images, C channels in, K out, H x W positions.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeGuard

import torch
from torch import Tensor, nn

from .winograd import winograd
from .winograd_steps import OUTPUTS

# Least channels, and the least side of a map with them. Direct over Winograd, both passes, one
# Zen 3 thread, fp32, batch 64 (torch 2.15): 16 channels at 32x32 0.57, 32 at 16x16 0.83, 64 at
# 32x32 1.5, 128 at 16x16 2.1, 256 at 8x8 2.3, 512 at 4x4 2.2. At 64 and 8x8, batch 128, it is 1.2
# of little: the narrow networks stay as they are.
WORTH = ((64, 16), (128, OUTPUTS))
MIN_TILES = 32  # the filters' transform has to pay: at 512 channels 16 tiles 0.83, 32 tiles 1.6


@contextmanager
def wide_convolutions(model: nn.Module) -> Iterator[None]:
    """Let the model's wide 3x3 convolutions go through `winograd` where that is faster.

    The modules stay what they are: only their `forward` is another, and only until the end.
    """
    wide = [one for one in model.modules() if _may_pay(one) and "forward" not in vars(one)]
    for conv in wide:
        vars(conv)["forward"] = partial(_convolved, conv)
    try:
        yield
    finally:
        for conv in wide:
            del vars(conv)["forward"]


def is_worth_winograd(conv: nn.Conv2d, x_BCHW: Tensor) -> bool:
    """Say whether this layer is faster by `winograd` on this input."""
    return _may_pay(conv) and _pays(conv, x_BCHW)


def _may_pay(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Say whether some input is worth it; a subclass may do something else."""
    return (
        type(module) is nn.Conv2d
        and (module.kernel_size, module.stride) == ((3, 3), (1, 1))
        and (module.padding, module.dilation) == ((1, 1), (1, 1))
        and (module.padding_mode, module.groups, module.bias) == ("zeros", 1, None)
        and min(module.in_channels, module.out_channels) >= WORTH[0][0]
        and module.weight.device.type == "cpu"
        and module.weight.dtype == torch.float32
    )


def _pays(conv: nn.Conv2d, x_BCHW: Tensor) -> bool:
    num_images, _, height, width = x_BCHW.shape
    channels = min(conv.in_channels, conv.out_channels)
    return (
        x_BCHW.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and height % OUTPUTS == 0
        and width % OUTPUTS == 0
        and num_images * height * width >= MIN_TILES * OUTPUTS**2
        and any(channels >= least and min(height, width) >= side for least, side in WORTH)
    )


def _convolved(conv: nn.Conv2d, x_BCHW: Tensor) -> Tensor:
    """Return what the convolution returns, in the form that is faster here."""
    if is_worth_winograd(conv, x_BCHW):
        return winograd(x_BCHW, conv.weight)
    return nn.Conv2d.forward(conv, x_BCHW)
