"""Efficient channel attention: each channel's gate from the means of its neighbours.

Source: Wang et al., ECA-Net, arXiv:1910.03151, sec. 3.2.
Shapes: B images, C channels, H x W positions.
"""

import torch
from torch import Tensor, nn

from space.attention.eca import ECASizes

from .gate import AttentionModule, Gate, vector


class ECA(AttentionModule):
    """y = x ⊙ σ(conv1d_k(mean(x))), one kernel for all channels, without a bias.

    Starts with gates around 0.5: half of the residual branch, not the identity.
    """

    def __init__(self, _channels: int, sizes: ECASizes) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, sizes.kernel, padding=sizes.kernel // 2, bias=False)

    def gate(self, x_BCHW: Tensor) -> Tensor:
        """Return one number in (0, 1) for each image and channel."""
        mean_B1C = x_BCHW.mean(dim=(2, 3))[:, None]
        gate_BC = torch.sigmoid(self.conv(mean_B1C)).squeeze(1)
        return gate_BC[:, :, None, None]

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the gated input."""
        return x_BCHW * self.gate(x_BCHW)

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the channel gate."""
        return {"gate": vector(self.gate(x_BCHW))}
