"""Global context block (GCNet): one weighted mean of all positions, transformed, added to each.

Source: Cao et al., GCNet, arXiv:1904.11492, sec. 4.
Departs from it: the last layer starts at 0, and the hidden width never falls below `min_width`.
Shapes: B images, C channels, H x W positions, N = H·W, M hidden width.
"""

import torch
from torch import Tensor, nn

from space.attention.gc import GCSizes

from .gate import AttentionModule, Gate, vector
from .pointwise import pointwise_logits


class GC(AttentionModule):
    """y = x + W2·ReLU(LN(W1·c)), c = Σ_j softmax_j(w_kᵀx_j + b)·x_j.

    w_k, W1 and W2 of the paper are `key`, `squeeze` and `excite`. Starts as the identity.
    """

    def __init__(self, channels: int, sizes: GCSizes) -> None:
        super().__init__()
        self.key = nn.Conv2d(channels, 1, 1)
        self.squeeze = nn.Linear(channels, sizes.hidden)
        self.norm = nn.LayerNorm(sizes.hidden)
        self.excite = nn.Linear(sizes.hidden, channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights and the first layer anew and close the last."""
        for module in (self.key, self.squeeze, self.norm):
            module.reset_parameters()
        nn.init.zeros_(self.excite.weight)
        nn.init.zeros_(self.excite.bias)

    def weights(self, x_BCHW: Tensor) -> Tensor:
        """Return what every query alike takes from each position, in fp32."""
        return pointwise_logits(self.key, x_BCHW).softmax(dim=-1)

    def added(self, x_BCHW: Tensor) -> Tensor:
        """Return what every position is given: one number for each image and channel."""
        weights_BN1 = self.weights(x_BCHW).transpose(1, 2).to(x_BCHW.dtype)
        context_BC = torch.bmm(x_BCHW.flatten(2), weights_BN1).squeeze(2)
        hidden_BM = torch.relu(self.norm(self.squeeze(context_BC)))
        added_BC: Tensor = self.excite(hidden_BM)
        return added_BC[:, :, None, None]

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the one row of weights, whose query is no position, and what comes of it."""
        return {
            "context": Gate("rows", self.weights(x_BCHW)),
            "added": vector(self.added(x_BCHW), limits=None),
        }

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the input and the same vector added to every position."""
        return x_BCHW + self.added(x_BCHW)
