"""Double attention (A²-Net): gather the map into descriptors, distribute them to the positions.

Source: Chen et al., A²-Nets: Double Attention Networks, arXiv:1810.11579, sec. 3. Both softmaxes
stay within an image: an implementation in circulation runs them over the batch.
Departs from it: the last projection starts at 0.
Shapes: B images, C channels, H x W positions, N = H·W, M = m = n gathered channels and maps.
"""

import torch
from torch import Tensor, nn

from space.attention.double import DoubleSizes

from .gate import AttentionModule, Gate
from .pointwise import pointwise_logits


class Double(AttentionModule):
    """y = x + W·G·softmax_n(V), G = A·softmax_N(B)ᵀ; A, B, V are biased 1 x 1 projections of x.

    A, B, V and W of the paper are `value`, `key`, `query` and `out`. Starts as the identity.
    """

    def __init__(self, channels: int, sizes: DoubleSizes) -> None:
        super().__init__()
        self.value = nn.Conv2d(channels, sizes.maps, 1)
        self.key = nn.Conv2d(channels, sizes.maps, 1)
        self.query = nn.Conv2d(channels, sizes.maps, 1)
        self.out = nn.Conv2d(sizes.maps, channels, 1)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw three projections anew and close the last."""
        for conv in (self.value, self.key, self.query):
            conv.reset_parameters()
        nn.init.zeros_(self.out.weight)
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    def gathering(self, x_BCHW: Tensor) -> Tensor:
        """Return what every descriptor takes from each position (B x M x N), in fp32."""
        return pointwise_logits(self.key, x_BCHW).softmax(dim=2)

    def distribution(self, x_BCHW: Tensor) -> Tensor:
        """Return what every position takes from each descriptor (B x N x M), in fp32."""
        return pointwise_logits(self.query, x_BCHW).softmax(dim=1).transpose(1, 2)

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the weights of both steps; positions and descriptors are never the same."""
        return {
            "gathered": Gate("rows", self.gathering(x_BCHW)),
            "distributed": Gate("rows", self.distribution(x_BCHW)),
        }

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the input and the mix of descriptors that each position takes."""
        value_BMHW: Tensor = self.value(x_BCHW)
        value_BNM = value_BMHW.flatten(2).transpose(1, 2)
        descriptors_BMM = torch.bmm(self.gathering(x_BCHW).to(value_BNM.dtype), value_BNM)
        distribution_BNM = self.distribution(x_BCHW).to(value_BNM.dtype)
        mixed_BMN = torch.bmm(distribution_BNM, descriptors_BMM).transpose(1, 2)
        added_BCHW: Tensor = self.out(mixed_BMN.reshape(value_BMHW.shape))
        return x_BCHW + added_BCHW
