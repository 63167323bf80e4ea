"""Non-local block: every position takes a weighted mean of all positions, added to it.

Source: Wang et al., Non-local Neural Networks, arXiv:1711.07971, sec. 3; the scale, pooling before
the projections and the zeroed norm as in the authors' code.
Shapes: B images, C channels, H x W positions, N = H·W queries, K keys (N, or a quarter of it when
sub-sampled), D embedding.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.attention.non_local import NonLocalSizes

from .logits import logits


class NonLocal(nn.Module):
    """z = x + BN(W_z·y), y_i = Σ_j f(x_i, x_j)·g(x_j).

    θ, φ, g and W_z of the paper are `query`, `key`, `value` and `out`. f is the softmax of
    θᵀφ/√D over the keys, or θᵀφ/K without it. Starts as the identity.
    """

    def __init__(self, channels: int, sizes: NonLocalSizes) -> None:
        super().__init__()
        self.pairwise = sizes.pairwise
        self.sub_sample = sizes.sub_sample
        self.scale = sizes.embedding**-0.5
        self.query = nn.Conv2d(channels, sizes.embedding, 1)
        self.key = nn.Conv2d(channels, sizes.embedding, 1)
        self.value = nn.Conv2d(channels, sizes.embedding, 1)
        self.out = nn.Conv2d(sizes.embedding, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw small projections and close the norm: the start is the identity."""
        for conv in (self.query, self.key, self.value, self.out):
            nn.init.normal_(conv.weight, std=0.01)
            assert conv.bias is not None
            nn.init.zeros_(conv.bias)
        self.norm.reset_parameters()
        nn.init.zeros_(self.norm.weight)

    def pooled(self, x_BCHW: Tensor) -> Tensor:
        """Return what keys and values are projected from."""
        return functional.max_pool2d(x_BCHW, 2) if self.sub_sample else x_BCHW

    def weights(self, x_BCHW: Tensor, pooled_BCHW: Tensor) -> Tensor:
        """Return f: for every position what it takes from each key, in fp32."""
        query_BND = self.query(x_BCHW).flatten(2).transpose(1, 2)
        key_BDK = self.key(pooled_BCHW).flatten(2)
        if self.pairwise == "dot_product":
            return logits(query_BND / key_BDK.shape[2], key_BDK)
        return logits(query_BND * self.scale, key_BDK).softmax(dim=-1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the input and what each position took from the others."""
        pooled_BCHW = self.pooled(x_BCHW)
        value_BKD = self.value(pooled_BCHW).flatten(2).transpose(1, 2)
        weights_BNK = self.weights(x_BCHW, pooled_BCHW).to(value_BKD.dtype)
        mixed_BDN = torch.bmm(weights_BNK, value_BKD).transpose(1, 2)
        mixed_BDHW = mixed_BDN.reshape(*mixed_BDN.shape[:2], *x_BCHW.shape[2:])
        added_BCHW: Tensor = self.norm(self.out(mixed_BDHW))
        return x_BCHW + added_BCHW
