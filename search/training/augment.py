"""Random crops and flips of a whole batch in one gather.

Shapes: N images of the set, B of the batch, H x W pixels, P with padding, C colours.
Source: He et al., Deep Residual Learning, arXiv:1512.03385, sec. 4.2.
"""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from space import IMAGE_SIDE

MEAN = (0.49139968, 0.48215841, 0.44653091)  # of CIFAR-10's training images
STD = (0.24703223, 0.24348513, 0.26158784)
NO_FLIP = 0.5  # draws below flip


def padded(images_NHWC: Tensor, padding: int) -> Tensor:
    """Return the images with a border of zeros: N x P x P x C."""
    return functional.pad(images_NHWC, (0, 0, padding, padding, padding, padding))


def crop_draws(num_images: int, generator: torch.Generator, *, flips: bool = True) -> Tensor:
    """Return three uniform numbers for each image: its row, its column, and whether it is flipped.

    They are drawn on the host, so every device crops the same; an epoch's are moved there at once,
    since each small copy would make the host wait for a GPU.
    """
    draws_3N = torch.rand(3, num_images, generator=generator)
    if not flips:
        draws_3N[2] = NO_FLIP
    return draws_3N


def cropped(padded_NPPC: Tensor, index_B: Tensor, draws_3B: Tensor) -> Tensor:
    """Return the images at the indices, each cropped and flipped as drawn: B x H x W x C.

    All three arguments are on one device.
    """
    slack = padded_NPPC.shape[1] - IMAGE_SIDE + 1
    offsets_2B = (draws_3B[:2] * slack).long()
    pixels_H = torch.arange(IMAGE_SIDE, device=draws_3B.device)
    rows_BH = offsets_2B[0, :, None] + pixels_H
    columns_BW = offsets_2B[1, :, None] + pixels_H
    columns_BW = torch.where(draws_3B[2, :, None] < NO_FLIP, columns_BW.flip(1), columns_BW)
    return padded_NPPC[index_B[:, None, None], rows_BH[:, :, None], columns_BW[:, None]]


def normalised(images_BHWC: Tensor) -> Tensor:
    """Return bytes as floats of mean 0 and deviation 1: B x C x H x W, channels last in memory."""
    mean_C, std_C = _moments(images_BHWC.device)
    return ((images_BHWC.float() - mean_C) / std_C).permute(0, 3, 1, 2)


@cache
def _moments(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of the colours in bytes, once for each device."""
    mean_C, std_C = 255 * torch.tensor(MEAN), 255 * torch.tensor(STD)
    return mean_C.to(device), std_C.to(device)
