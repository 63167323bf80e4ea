"""Any mechanism behind a learned gain that starts at 0: the network starts without it.

Source: Bachlechner et al., ReZero is All You Need, arXiv:2003.04887, sec. 3: a residual branch
times a scalar that starts at 0.
Departs from it: what is scaled is what the mechanism changes, A(x) − x, so that g = 1 is A itself.
Not for what starts as the identity by itself: 0 times nothing would never learn.
Shapes: B images, C channels, H x W positions.
"""

import torch
from torch import Tensor, nn

from .gate import AttentionModule, Gate, scalar


class Gained(AttentionModule):
    """y = x + g·(A(x) − x); starts as the identity, g = 0."""

    def __init__(self, attention: AttentionModule) -> None:
        super().__init__()
        self.attention = attention
        self.gain = nn.Parameter(torch.zeros(()))

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the mechanism's own, and the gain."""
        return {**self.attention.gates(x_BCHW), "gain": scalar(self.gain)}

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the input and a share of what the mechanism changes in it."""
        changed_BCHW: Tensor = self.attention(x_BCHW)
        return x_BCHW + self.gain * (changed_BCHW - x_BCHW)
