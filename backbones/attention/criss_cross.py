"""Criss-cross attention (CCNet): every position attends to its column and its row.

Source: Huang et al., CCNet, arXiv:1811.11721, sec. 3.2 and 3.3.
Departs from it: no convolutions around it and no concatenation; the module alone, as a residual.
Shapes: B images, C channels, H x W positions, D embedding, S = H + W: a column, then a row; a
doubled letter is what is attended to, so BHWW holds for each position its weights along the row.
"""

import torch
from torch import Tensor, nn

from space.attention.criss_cross import CrissCrossSizes

from .gate import AttentionModule, Gate, rows, scalar
from .logits import logits


class CrissCross(AttentionModule):
    """x ← x + γ·Σ over column and row, applied R times with the same parameters.

    One softmax over the H + W − 1 different positions. Starts as the identity, γ = 0.
    """

    def __init__(self, channels: int, sizes: CrissCrossSizes) -> None:
        super().__init__()
        self.recurrences = sizes.recurrences
        self.query = nn.Conv2d(channels, sizes.embedding, 1)
        self.key = nn.Conv2d(channels, sizes.embedding, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.empty(()))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the projections anew and close the branch."""
        for conv in (self.query, self.key, self.value):
            conv.reset_parameters()
        nn.init.zeros_(self.gamma)

    def weights(self, x_BCHW: Tensor) -> Tensor:
        """Return for every position what it takes from its column and its row, in fp32.

        The column's entry of the position itself is 0: the row counts it already.
        """
        query_BHWD = self.query(x_BCHW).permute(0, 2, 3, 1)
        key_BHWD = self.key(x_BCHW).permute(0, 2, 3, 1)
        column_BWHH = logits(query_BHWD.transpose(1, 2), key_BHWD.permute(0, 2, 3, 1))
        row_BHWW = logits(query_BHWD, key_BHWD.transpose(2, 3))
        own_HH = torch.eye(column_BWHH.shape[2], dtype=torch.bool, device=x_BCHW.device)
        column_BWHH = column_BWHH.masked_fill(own_HH, float("-inf"))
        return torch.cat((column_BWHH.transpose(1, 2), row_BHWW), dim=-1).softmax(dim=-1)

    def gathered(self, x_BCHW: Tensor) -> Tensor:
        """Return what each position takes, without the position's own x."""
        value_BHWC = self.value(x_BCHW).permute(0, 2, 3, 1)
        weights_BHWS = self.weights(x_BCHW).to(value_BHWC.dtype)
        height = x_BCHW.shape[2]
        column_BHWH, row_BHWW = weights_BHWS[..., :height], weights_BHWS[..., height:]
        from_column_BWHC = torch.matmul(column_BHWH.transpose(1, 2), value_BHWC.transpose(1, 2))
        from_row_BHWC = torch.matmul(row_BHWW, value_BHWC)
        return (from_row_BHWC + from_column_BWHC.transpose(1, 2)).permute(0, 3, 1, 2)

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the weights of each pass over the map, and the gain."""
        found = {"gamma": scalar(self.gamma)}
        for number in range(1, self.recurrences + 1):
            weights_BHWS = self.weights(x_BCHW)
            own_BHW = weights_BHWS[..., x_BCHW.shape[2] :].diagonal(dim1=-2, dim2=-1)
            found[f"pass{number}"] = rows(weights_BHWS, own=own_BHW)
            x_BCHW = x_BCHW + self.gamma * self.gathered(x_BCHW)
        return found

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the input after all recurrences; the second reaches the whole map."""
        for _ in range(self.recurrences):
            x_BCHW = x_BCHW + self.gamma * self.gathered(x_BCHW)
        return x_BCHW
