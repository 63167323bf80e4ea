"""Triplet attention: the mean of three copies, each gated on one plane of the map.

Source: Misra et al., Rotate to Attend, arXiv:2010.03045, sec. 3.2; the norms' numbers as in the
authors' code.
Departs from it: a 1 x 1 map in a batch of one trains, by the norm's running statistics.
Shapes: B images, C channels, H x W positions, P = 2 ways of pooling; Y x X is any of the planes.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.attention.triplet import TripletSizes

from .gate import AttentionModule, Gate, spatial_map
from .norm import BatchNorm


class PlaneGate(nn.Module):
    """σ(BN(conv([max; mean]))) of a map from which one dimension was pooled."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)
        self.norm = BatchNorm(1, eps=1e-5, momentum=0.01)

    def forward(self, largest_BYX: Tensor, mean_BYX: Tensor) -> Tensor:
        """Return one number in (0, 1) for each image and place of the plane."""
        pooled_BPYX = torch.stack((largest_BYX, mean_BYX), dim=1)
        return torch.sigmoid(self.norm(self.conv(pooled_BPYX)))


class Triplet(AttentionModule):
    """y = x ⊙ (g_HW + g_CW + g_CH)/3, each gate broadcast over the dimension that was pooled.

    Starts with gates around 0.5: half of the residual branch, not the identity.
    """

    def __init__(self, _channels: int, sizes: TripletSizes) -> None:
        super().__init__()
        self.height_width = PlaneGate(sizes.kernel)
        self.channel_width = PlaneGate(sizes.kernel)
        self.channel_height = PlaneGate(sizes.kernel)

    def planes(self, x_BCHW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gates of height by width, channel by width and channel by height."""
        height, width = x_BCHW.shape[2:]
        # At least four times as fast as amax in channels_last, at 16@32x32 and 64@8x8 on one core,
        # backward included.
        over_height_BCW = functional.adaptive_max_pool2d(x_BCHW, (1, width)).squeeze(2)
        over_width_BCH = functional.adaptive_max_pool2d(x_BCHW, (height, 1)).squeeze(3)
        return (
            self.height_width(x_BCHW.amax(dim=1), x_BCHW.mean(dim=1)),
            self.channel_width(over_height_BCW, x_BCHW.mean(dim=2)),
            self.channel_height(over_width_BCH, x_BCHW.mean(dim=3)),
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the mean of the three gated copies."""
        gate_B1HW, gate_B1CW, gate_B1CH = (gate / 3 for gate in self.planes(x_BCHW))
        gate_BC1W, gate_BCH1 = gate_B1CW.transpose(1, 2), gate_B1CH.squeeze(1)[..., None]
        return x_BCHW * (gate_B1HW + gate_BC1W + gate_BCH1)

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the three gates, each on its own plane."""
        names = ("height_width", "channel_width", "channel_height")
        planes = self.planes(x_BCHW)
        return {name: spatial_map(plane) for name, plane in zip(names, planes, strict=True)}
