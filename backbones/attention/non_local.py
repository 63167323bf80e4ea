"""Non-local block: every position takes a weighted mean of all positions, added to it.

Source: Wang et al., Non-local Neural Networks, arXiv:1711.07971, sec. 3; the scale of the embedded
form, pooling before the projections and the zeroed norm as in the authors' code.
Departs from it: the concatenation w·[θ_i; φ_j] is computed as w_θ·θ_i + w_φ·φ_j, the same numbers
without a tensor of all pairs.
Shapes: B images, C channels, H x W positions, N = H·W queries, K keys (N, or a quarter of it when
sub-sampled), D embedding.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.attention.non_local import NonLocalSizes

from .gate import AttentionModule, Gate, rows
from .logits import attended, logits
from .norm import BatchNorm


class NonLocal(AttentionModule):
    """z = x + BN(W_z·y), y_i = Σ_j f(x_i, x_j)·g(x_j).

    θ, φ, g and W_z of the paper are `query`, `key`, `value` and `out`. f is, over K keys:
    `embedded_gaussian` the softmax of θᵀφ/√D, `gaussian` the softmax of xᵀx, `dot_product` θᵀφ/K,
    `concatenation` ReLU(w·[θ; φ])/K.
    """

    def __init__(self, channels: int, sizes: NonLocalSizes) -> None:
        super().__init__()
        self.pairwise = sizes.pairwise
        self.sub_sample = sizes.sub_sample
        self.is_embedded = sizes.pairwise != "gaussian"
        self.is_softmax = sizes.pairwise.endswith("gaussian")
        self.scale = sizes.embedding**-0.5 if self.is_embedded else 1.0
        if self.is_embedded:
            self.query = nn.Conv2d(channels, sizes.embedding, 1)
            self.key = nn.Conv2d(channels, sizes.embedding, 1)
        if sizes.pairwise == "concatenation":
            self.score_query = nn.Linear(sizes.embedding, 1, bias=False)
            self.score_key = nn.Linear(sizes.embedding, 1, bias=False)
        self.value = nn.Conv2d(channels, sizes.embedding, 1)
        self.out = nn.Conv2d(sizes.embedding, channels, 1)
        self.norm = BatchNorm(channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw small projections and close the norm: the start is the identity."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        self.norm.reset_parameters()
        nn.init.zeros_(self.norm.weight)

    def pooled(self, x_BCHW: Tensor) -> Tensor:
        """Return what keys and values are projected from."""
        return functional.max_pool2d(x_BCHW, 2) if self.sub_sample else x_BCHW

    def compared(self, x_BCHW: Tensor, pooled_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """Return a row for each query and one for each key: θ and φ, or x itself."""
        if not self.is_embedded:
            return positions_first(x_BCHW), positions_first(pooled_BCHW)
        return positions_first(self.query(x_BCHW)), positions_first(self.key(pooled_BCHW))

    def weights(self, x_BCHW: Tensor, pooled_BCHW: Tensor) -> Tensor:
        """Return f: for every position what it takes from each key, in fp32."""
        query_BND, key_BKD = self.compared(x_BCHW, pooled_BCHW)
        num_keys = key_BKD.shape[1]
        if self.pairwise == "concatenation":
            from_key_B1K = self.score_key(key_BKD).transpose(1, 2)
            return torch.relu(self.score_query(query_BND) + from_key_B1K).float() / num_keys
        if self.pairwise == "dot_product":
            return logits(query_BND / num_keys, key_BKD.transpose(1, 2))
        return logits(query_BND * self.scale, key_BKD.transpose(1, 2)).softmax(dim=-1)

    def mixed(self, x_BCHW: Tensor) -> Tensor:
        """Return y: what each position takes from the keys, before W_z."""
        pooled_BCHW = self.pooled(x_BCHW)
        value_BKD = positions_first(self.value(pooled_BCHW))
        if self.is_softmax:
            query_BND, key_BKD = self.compared(x_BCHW, pooled_BCHW)
            return attended(query_BND, key_BKD, value_BKD, scale=self.scale)
        return torch.bmm(self.weights(x_BCHW, pooled_BCHW).to(value_BKD.dtype), value_BKD)

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return f, whose rows sum to 1 in the softmax forms only."""
        limits = (0.0, 1.0) if self.is_softmax else None
        return {"pairs": rows(self.weights(x_BCHW, self.pooled(x_BCHW)), limits=limits)}

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the input and what each position took from the others."""
        mixed_BDN = self.mixed(x_BCHW).transpose(1, 2)
        mixed_BDHW = mixed_BDN.reshape(*mixed_BDN.shape[:2], *x_BCHW.shape[2:])
        added_BCHW: Tensor = self.norm(self.out(mixed_BDHW))
        return x_BCHW + added_BCHW


def positions_first(x_BCHW: Tensor) -> Tensor:
    """Return one row for each position."""
    return x_BCHW.flatten(2).transpose(1, 2)
