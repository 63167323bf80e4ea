"""Squeeze-and-Excitation: scale every channel by a gate computed from all channel means.

Source: Hu et al., Squeeze-and-Excitation Networks, arXiv:1709.01507, sec. 3.
Shapes: B images, C channels, H x W positions, M hidden width.
"""

import torch
from torch import Tensor, nn

from space.attention.se import SESizes

from .gate import AttentionModule, Gate, vector


class SE(AttentionModule):
    """y = x ⊙ σ(W2·ReLU(W1·mean(x))).

    Starts with gates around 0.5: half of the residual branch, not the identity.
    """

    def __init__(self, channels: int, sizes: SESizes) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, sizes.hidden, bias=sizes.bias)
        self.excite = nn.Linear(sizes.hidden, channels, bias=sizes.bias)

    def gate(self, x_BCHW: Tensor) -> Tensor:
        """Return one number in (0, 1) for each image and channel."""
        hidden_BM = torch.relu(self.squeeze(x_BCHW.mean(dim=(2, 3))))
        return torch.sigmoid(self.excite(hidden_BM))[:, :, None, None]

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the channel gate."""
        return {"channel": vector(self.gate(x_BCHW))}

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the gated input."""
        gate_BC11 = self.gate(x_BCHW)
        return x_BCHW * gate_BC11
