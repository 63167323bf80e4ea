"""A 3x3 convolution with a quarter of the multiplications, for wide layers on a CPU.

Source: Lavin & Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308, sec. 4.
Shapes: B images, C channels in, K out, H x W positions; P the 36 points of a tile, T tiles of a
chunk of images.
"""

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable

from .winograd_steps import (
    OUTPUTS,
    add_tiles,
    filters_at_points,
    slopes_at_points,
    tiles_at_points,
    weight_slope,
    write_outputs,
)

# A chunk's numbers at one point: all its points stay in the cache, and 64 tiles fill a product.
# 64 channels, batch 128, one Zen 3 thread, both passes: at 16x16 16 k 91 ms and 32 k 95 ms, at 8x8
# 26 and 40 ms (torch 2.15).
CHUNK_NUMBERS, CHUNK_TILES = 16_384, 64


def winograd(x_BCHW: Tensor, weight_KC33: Tensor) -> Tensor:
    """Return the convolution with stride 1 and padding 1, channels last in memory.

    Raises:
        ValueError: the height or the width is no multiple of 4.
    """
    height, width = x_BCHW.shape[2:]
    if height % OUTPUTS or width % OUTPUTS:
        raise ValueError(f"height and width must be multiples of {OUTPUTS}, got {height}x{width}")
    y_BKHW: Tensor = _Winograd.apply(x_BCHW, weight_KC33)
    return y_BKHW


class _Winograd(torch.autograd.Function):
    """A chunk of images goes through all steps, so that what lies between them stays cached.

    The tiles at the points are kept for the weight's gradient: 2.25 times the input, 0.43 GB for
    ResNet-18 at batch 64. Formed again there, a step took 1.06 times as long (12 processes on two
    Zen 3 cores).
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x_BCHW: Tensor, weight_KC33: Tensor) -> Tensor:
        x_BHWC, filters_PKC = x_BCHW.permute(0, 2, 3, 1), filters_at_points(weight_KC33)
        y_BHWK = x_BCHW.new_empty(*x_BHWC.shape[:3], len(weight_KC33))
        size = _images_of_chunk(y_BHWK, filters_PKC)
        kept = []
        for part_BHWC, out_BHWK in zip(x_BHWC.split(size), y_BHWK.split(size), strict=True):
            kept.append(tiles_at_points(part_BHWC))
            write_outputs(torch.bmm(kept[-1], filters_PKC.mT), out_BHWK)
        ctx.save_for_backward(weight_KC33, *kept)
        return y_BHWK.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: BackwardCFunction, slope_BKHW: Tensor
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of the input and the weight: the steps' transposes, backwards."""
        weight_KC33, *kept = list(ctx.saved_tensors)
        needs_x, needs_weight = list(ctx.needs_input_grad)
        slope_BHWK, filters_PKC = slope_BKHW.permute(0, 2, 3, 1), filters_at_points(weight_KC33)
        slope_BHWC = slope_BHWK.new_empty(*slope_BHWK.shape[:3], weight_KC33.shape[1])
        slope_PKC = torch.zeros_like(filters_PKC)
        size = _images_of_chunk(slope_BHWK, filters_PKC)
        parts = (kept, slope_BHWK.split(size), slope_BHWC.split(size))
        for tiles_PTC, part_BHWK, out_BHWC in zip(*parts, strict=True):
            slope_PTK = slopes_at_points(part_BHWK)
            if needs_weight:
                slope_PKC.baddbmm_(slope_PTK.mT, tiles_PTC)
            if needs_x:
                add_tiles(torch.bmm(slope_PTK, filters_PKC), out_BHWC)
        x_slope_BCHW = slope_BHWC.permute(0, 3, 1, 2) if needs_x else None
        return x_slope_BCHW, weight_slope(slope_PKC) if needs_weight else None


def _images_of_chunk(map_BHWK: Tensor, filters_PKC: Tensor) -> int:
    """Return how many images go through the steps at once."""
    tiles_of_image = map_BHWK.shape[1] * map_BHWK.shape[2] // OUTPUTS**2
    num_tiles = max(CHUNK_NUMBERS // max(filters_PKC.shape[1:]), CHUNK_TILES)
    return max(1, num_tiles // tiles_of_image)
