"""Global attention mechanism (GAM): two gates of the size of the map itself.

Source: Liu et al., Global Attention Mechanism, arXiv:2112.05561, sec. 3: the channel gate has the
paper's sigmoid, which the code in circulation leaves out; channels are shuffled between the two
grouped convolutions, where they mix (shuffling the finished gate sets it against other channels).
Departs from it: `factorised` and `depthwise` replace the two k x k convolutions.
Shapes: B images, C channels, H x W positions, M hidden width, k kernel.
"""

from collections.abc import Callable

from torch import Tensor, nn

from space.attention.gam import GAMSizes

from .gate import AttentionModule, Gate, tensor
from .norm import BatchNorm


def _full(channels: int, sizes: GAMSizes) -> list[nn.Module]:
    """Return k x k from C to M and back."""
    kernel, padding = sizes.kernel, sizes.kernel // 2
    return [
        nn.Conv2d(channels, sizes.hidden, kernel, padding=padding),
        *_activation(sizes.hidden),
        nn.Conv2d(sizes.hidden, channels, kernel, padding=padding),
    ]


def _grouped(channels: int, sizes: GAMSizes) -> list[nn.Module]:
    """Return the same in groups, with a shuffle between."""
    kernel, padding, groups = sizes.kernel, sizes.kernel // 2, sizes.groups
    return [
        nn.Conv2d(channels, sizes.hidden, kernel, padding=padding, groups=groups),
        *_activation(sizes.hidden),
        nn.ChannelShuffle(groups),
        nn.Conv2d(sizes.hidden, channels, kernel, padding=padding, groups=groups),
    ]


def _factorised(channels: int, sizes: GAMSizes) -> list[nn.Module]:
    """Return 1 x 1 to M, k x 1 and 1 x k within M, 1 x 1 back."""
    hidden, kernel, padding = sizes.hidden, sizes.kernel, sizes.kernel // 2
    return [
        nn.Conv2d(channels, hidden, 1),
        nn.Conv2d(hidden, hidden, (kernel, 1), padding=(padding, 0)),
        nn.Conv2d(hidden, hidden, (1, kernel), padding=(0, padding)),
        *_activation(hidden),
        nn.Conv2d(hidden, channels, 1),
    ]


def _depthwise(channels: int, sizes: GAMSizes) -> list[nn.Module]:
    """Return 1 x 1 to M, k x k for each channel alone, 1 x 1 back."""
    hidden, kernel = sizes.hidden, sizes.kernel
    return [
        nn.Conv2d(channels, hidden, 1),
        nn.Conv2d(hidden, hidden, kernel, padding=kernel // 2, groups=hidden),
        *_activation(hidden),
        nn.Conv2d(hidden, channels, 1),
    ]


def _activation(hidden: int) -> tuple[nn.Module, nn.Module]:
    return BatchNorm(hidden), nn.ReLU(inplace=True)


VARIANTS: dict[str, Callable[[int, GAMSizes], list[nn.Module]]] = {
    "full": _full,
    "grouped": _grouped,
    "factorised": _factorised,
    "depthwise": _depthwise,
}


class GAM(AttentionModule):
    """y = x' ⊙ spatial(x'), x' = x ⊙ channel(x); both gates have the shape of x.

    Starts with gates around 0.5 each: about a quarter of the residual branch.
    """

    def __init__(self, channels: int, sizes: GAMSizes) -> None:
        super().__init__()
        self.channel = nn.Sequential(
            nn.Conv2d(channels, sizes.hidden, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(sizes.hidden, channels, 1),
            nn.Sigmoid(),
        )
        convolutions = VARIANTS[sizes.variant](channels, sizes)
        self.spatial = nn.Sequential(*convolutions, BatchNorm(channels), nn.Sigmoid())

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return both gates, each of the size of the map."""
        channel_BCHW = self.channel(x_BCHW)
        spatial_BCHW = self.spatial(x_BCHW * channel_BCHW)
        return {"channel": tensor(channel_BCHW), "spatial": tensor(spatial_BCHW)}

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the input, gated twice."""
        channel_BCHW: Tensor = self.channel(x_BCHW)
        x_BCHW = x_BCHW * channel_BCHW
        spatial_BCHW: Tensor = self.spatial(x_BCHW)
        return x_BCHW * spatial_BCHW
