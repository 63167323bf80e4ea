"""Bottleneck attention module (BAM): one gate from a channel and a spatial branch, side by side.

Source: Park et al., BAM, arXiv:1807.06514, sec. 3: the sigmoid of the branches' sum, which the
released code multiplies instead; biases and the norms within the spatial branch as in that code.
Departs from it: the hidden width never falls below `min_width`, and the norm of one pooled image
in training goes by its running statistics.
Shapes: B images, C channels, H x W positions, M hidden width.
"""

import torch
from torch import Tensor, nn

from space.attention.bam import BAMSizes

from .gate import AttentionModule, Gate, tensor
from .norm import BatchNorm


class BAM(AttentionModule):
    """y = x ⊙ (1 + σ(channel(mean(x)) + spatial(x))).

    Starts with gates around 1.5, not as the identity.
    """

    def __init__(self, channels: int, sizes: BAMSizes) -> None:
        super().__init__()
        hidden = sizes.hidden
        self.channel = nn.Sequential(*_squeezed(channels, hidden), nn.Conv2d(hidden, channels, 1))
        self.spatial = nn.Sequential(
            *_squeezed(channels, hidden),
            *_dilated(hidden, sizes.dilation),
            *_dilated(hidden, sizes.dilation),
            nn.Conv2d(hidden, 1, 1),
        )

    def gate(self, x_BCHW: Tensor) -> Tensor:
        """Return one number in (1, 2) for each image, channel and position."""
        channel_BC11: Tensor = self.channel(x_BCHW.mean(dim=(2, 3), keepdim=True))
        spatial_B1HW: Tensor = self.spatial(x_BCHW)
        return 1 + torch.sigmoid(channel_BC11 + spatial_B1HW)

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the gate of both branches together."""
        return {"gate": tensor(self.gate(x_BCHW), limits=(1.0, 2.0))}

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the gated input."""
        return x_BCHW * self.gate(x_BCHW)


def _squeezed(channels: int, hidden: int) -> list[nn.Module]:
    """Return 1 x 1 from C to M, norm and ReLU."""
    return [nn.Conv2d(channels, hidden, 1), BatchNorm(hidden), nn.ReLU(inplace=True)]


def _dilated(hidden: int, dilation: int) -> list[nn.Module]:
    """Return 3 x 3 within M with its taps apart, norm and ReLU."""
    conv = nn.Conv2d(hidden, hidden, 3, padding=dilation, dilation=dilation)
    return [conv, BatchNorm(hidden), nn.ReLU(inplace=True)]
