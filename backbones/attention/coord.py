"""Coordinate attention: a gate of the row times a gate of the column, for every channel.

Source: Hou et al., Coordinate Attention for Efficient Mobile Network Design, arXiv:2103.02907,
sec. 3.2; the hard swish behind the shared projection as in the authors' code.
Shapes: B images, C channels, H x W positions, M hidden width, L = H + W places of both strips.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.attention.coord import CoordSizes

from .gate import AttentionModule, Gate, tensor


class Coord(AttentionModule):
    """y = x ⊙ σ(F_h(f_h)) ⊙ σ(F_w(f_w)), [f_h; f_w] = swish(BN(F([mean over W; mean over H]))).

    Starts with gates around 0.5 each: about a quarter of the residual branch.
    """

    def __init__(self, channels: int, sizes: CoordSizes) -> None:
        super().__init__()
        self.shared = nn.Conv2d(channels, sizes.hidden, 1)
        self.norm = nn.BatchNorm2d(sizes.hidden)
        self.row = nn.Conv2d(sizes.hidden, channels, 1)
        self.column = nn.Conv2d(sizes.hidden, channels, 1)

    def gate(self, x_BCHW: Tensor) -> Tensor:
        """Return one number in (0, 1) for each image, channel and position."""
        rows_BCH1 = x_BCHW.mean(dim=3, keepdim=True)
        columns_BCW1 = x_BCHW.mean(dim=2, keepdim=True).transpose(2, 3)
        strips_BCL1 = torch.cat((rows_BCH1, columns_BCW1), dim=2)
        hidden_BML1 = functional.hardswish(self.norm(self.shared(strips_BCL1)))
        hidden_BMH1, hidden_BMW1 = hidden_BML1.split(x_BCHW.shape[2:], dim=2)
        row_BCH1 = torch.sigmoid(self.row(hidden_BMH1))
        column_BC1W = torch.sigmoid(self.column(hidden_BMW1)).transpose(2, 3)
        return row_BCH1 * column_BC1W

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the gated input."""
        return x_BCHW * self.gate(x_BCHW)

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the product of both gates."""
        return {"gate": tensor(self.gate(x_BCHW))}
