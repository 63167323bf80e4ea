"""Multi-head self-attention with relative positions, as in BoTNet.

Source: Srinivas et al., Bottleneck Transformers for Visual Recognition, arXiv:2101.11605, sec. 3.
Departs from it: there it replaces a 3x3 convolution; here it is added to its input, and the
projection of the values starts at 0.
Shapes: B images, C channels, H x W positions, N = H·W, E heads, D = C/E, O = 2·Q − 1 offsets from
Q queries in a line to as many keys; a doubled letter is queries, then keys.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.attention.mhsa import MHSASizes

from .gate import AttentionModule, Gate, rows
from .logits import attended, logits


class MHSA(AttentionModule):
    """y = x + Σ_j softmax_j((q_iᵀk_j + q_iᵀr_ij)/√D)·v_j for each head, of one size of map.

    r_ij is a learned key of how far j stands below i plus one of how far to its right, the same
    for every head. Starts as the identity.
    """

    def __init__(self, channels: int, sizes: MHSASizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.query = nn.Conv2d(channels, channels, 1, bias=False)
        self.key = nn.Conv2d(channels, channels, 1, bias=False)
        self.value = nn.Conv2d(channels, channels, 1, bias=False)
        self.key_below = nn.Parameter(torch.empty(2 * sizes.height - 1, sizes.head_width))
        self.key_right = nn.Parameter(torch.empty(2 * sizes.width - 1, sizes.head_width))
        self.scale: float = sizes.head_width**-0.5
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw queries, keys and the offsets' keys anew and close the values."""
        self.query.reset_parameters()
        self.key.reset_parameters()
        nn.init.zeros_(self.value.weight)
        for key_OD in (self.key_below, self.key_right):
            nn.init.normal_(key_OD, std=self.scale)

    def by_head(self, conv: nn.Conv2d, x_BCHW: Tensor) -> Tensor:
        """Return a projection as B x E x N x D."""
        heads, head_width = self.sizes.heads, self.sizes.head_width
        projected_BCHW: Tensor = conv(x_BCHW)
        return projected_BCHW.reshape(x_BCHW.shape[0], heads, head_width, -1).transpose(2, 3)

    def bias(self, query_BEND: Tensor) -> Tensor:
        """Return q_iᵀr_ij for every head and pair of positions (B x E x N x N), in fp32."""
        height, width = self.sizes.height, self.sizes.width
        query_BEHWD = query_BEND.reshape(*query_BEND.shape[:2], height, width, -1)
        below_BEWHO = logits(query_BEHWD.transpose(2, 3), self.key_below.t())
        right_BEHWO = logits(query_BEHWD, self.key_right.t())
        below_BEHWH = by_key(below_BEWHO).transpose(2, 3)
        right_BEHWW = by_key(right_BEHWO)
        bias_BEHWHW = below_BEHWH[..., :, None] + right_BEHWW[..., None, :]
        return bias_BEHWHW.flatten(4).flatten(2, 3)

    def weights(self, x_BCHW: Tensor) -> Tensor:
        """Return for every head and position what it takes from each position, in fp32."""
        query_BEND = self.scale * self.by_head(self.query, x_BCHW)
        key_BEDN = self.by_head(self.key, x_BCHW).transpose(2, 3)
        scores_BENN = logits(query_BEND, key_BEDN)
        return (scores_BENN + self.bias(query_BEND)).softmax(dim=-1)

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the weights of every head."""
        self.refuse_other_maps(x_BCHW)
        return {"heads": rows(self.weights(x_BCHW))}

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the input and what each position takes.

        Raises:
            ValueError: the map is not of the size that the offsets' keys are for.
        """
        self.refuse_other_maps(x_BCHW)
        query_BEND = self.scale * self.by_head(self.query, x_BCHW)  # once, not every pair
        key_BEND = self.by_head(self.key, x_BCHW)
        value_BEND = self.by_head(self.value, x_BCHW)
        bias_BENN = self.bias(query_BEND)
        with torch.autocast(x_BCHW.device.type, enabled=False):  # it would round the bias
            mixed_BEND = attended(
                query_BEND.float(),
                key_BEND.float(),
                value_BEND.float(),
                bias_QK=bias_BENN,
            )
        mixed_BEDN = mixed_BEND.transpose(2, 3).to(value_BEND.dtype)
        return x_BCHW + mixed_BEDN.reshape(x_BCHW.shape)

    def refuse_other_maps(self, x_BCHW: Tensor) -> None:
        """Refuse a map of another size than the module is built for."""
        height, width = x_BCHW.shape[2:]
        if (height, width) != (self.sizes.height, self.sizes.width):
            raise ValueError(
                f"the map must be {self.sizes.height}x{self.sizes.width}, for which this mhsa "
                f"was built, got {height}x{width}; build another one for that size"
            )


def by_key(by_offset_QO: Tensor) -> Tensor:
    """Return for each of Q queries its entry for each of Q keys, from that for each offset.

    Entry o is for the offset o − (Q − 1): the keys of query i begin at entry Q − 1 − i, one before
    those of query i − 1. Rows padded by one entry, read on in the old length, begin so.
    """
    num_queries = by_offset_QO.shape[-2]
    read_on = functional.pad(by_offset_QO, (0, 1)).flatten(-2)[..., num_queries - 1 : -1]
    return read_on.reshape(by_offset_QO.shape)[..., :num_queries]
