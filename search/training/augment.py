"""Random crops and flips of a whole batch in one gather.

Shapes: N images of the set, B of the batch, H x W pixels, P with padding, C colours.
Source: He et al., Deep Residual Learning, arXiv:1512.03385, sec. 4.2.
"""

import torch
from torch import Tensor
from torch.nn import functional

from space import IMAGE_SIDE

MEAN = (0.49139968, 0.48215841, 0.44653091)  # of CIFAR-10's training images
STD = (0.24703223, 0.24348513, 0.26158784)


def padded(images_NHWC: Tensor, padding: int) -> Tensor:
    """Return the images with a border of zeros: N x P x P x C."""
    return functional.pad(images_NHWC, (0, 0, padding, padding, padding, padding))


def cropped(padded_NPPC: Tensor, index_B: Tensor, generator: torch.Generator) -> Tensor:
    """Return the images at the indices, each cropped at random and flipped or not: B x H x W x C.

    The generator lives on the host, so every device draws the same crops.
    """
    batch, slack = len(index_B), padded_NPPC.shape[1] - IMAGE_SIDE + 1
    draws_3B = torch.rand(3, batch, generator=generator)
    offsets_2B = (draws_3B[:2] * slack).long()
    pixels_H = torch.arange(IMAGE_SIDE)
    rows_BH = offsets_2B[0, :, None] + pixels_H
    columns_BW = offsets_2B[1, :, None] + pixels_H
    columns_BW = torch.where(draws_3B[2, :, None] < 0.5, columns_BW.flip(1), columns_BW)
    device = padded_NPPC.device
    index_B11 = index_B[:, None, None].to(device)
    return padded_NPPC[index_B11, rows_BH[:, :, None].to(device), columns_BW[:, None].to(device)]


def normalised(images_BHWC: Tensor) -> Tensor:
    """Return bytes as floats of mean 0 and deviation 1: B x C x H x W, channels last in memory."""
    mean = torch.tensor(MEAN, device=images_BHWC.device) * 255
    std = torch.tensor(STD, device=images_BHWC.device) * 255
    return ((images_BHWC.float() - mean) / std).permute(0, 3, 1, 2)
