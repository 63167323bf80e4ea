"""Dual attention (DANet): positions attend to positions, channels to channels.

Source: Fu et al., Dual Attention Network for Scene Segmentation, arXiv:1809.02983, sec. 3.
Departs from it: both branches are added to one x (the paper's head sums two maps, each of which
already holds x, behind convolutions of its own).
Shapes: B images, C channels, H x W positions, N = H·W, D embedding.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.attention.dual import DualSizes

from .gate import AttentionModule, Gate, rows, scalar
from .logits import attended, logits

# Of 64 independent rectified channels, whose cosines are 1/π, each takes 0.32 from itself at 0.2;
# at 0.1 it takes 0.94 and mixes nothing, at 0.5 0.06: close to the mean of all.
COSINE_TEMPERATURE = 0.2


class PositionMixing(nn.Module):
    """Σ_j softmax_j(q_iᵀk_j)·v_j, without a scale as in the paper."""

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, embedding, 1)
        self.key = nn.Conv2d(channels, embedding, 1)
        self.value = nn.Conv2d(channels, channels, 1)

    def weights(self, x_BCHW: Tensor) -> Tensor:
        """Return for every position what it takes from each position, in fp32."""
        query_BND = self.query(x_BCHW).flatten(2).transpose(1, 2)
        return logits(query_BND, self.key(x_BCHW).flatten(2)).softmax(dim=-1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return what each position takes, without the position itself."""
        projections = (self.query(x_BCHW), self.key(x_BCHW), self.value(x_BCHW))
        mixed_BNC = attended(*(one.flatten(2).transpose(1, 2) for one in projections))
        return mixed_BNC.transpose(1, 2).reshape(x_BCHW.shape)


def flipped(x_BCN: Tensor) -> Tensor:
    """Return −X·Xᵀ; the code's max_j E − E differs by a row's constant, which softmax ignores."""
    return -logits(x_BCN, x_BCN.transpose(1, 2))


def scaled(x_BCN: Tensor) -> Tensor:
    """Return X·Xᵀ/N: a mean over positions, so that the map's size does not saturate it."""
    return logits(x_BCN / x_BCN.shape[2], x_BCN.transpose(1, 2))


def cosine(x_BCN: Tensor) -> Tensor:
    """Return the cosine of every two channels over a fixed temperature."""
    direction_BCN = functional.normalize(x_BCN.float(), dim=2)
    return logits(direction_BCN / COSINE_TEMPERATURE, direction_BCN.transpose(1, 2))


CHANNEL_SCORES: dict[str, Callable[[Tensor], Tensor]] = {
    "flipped": flipped,
    "scaled": scaled,
    "cosine": cosine,
}


class ChannelMixing(nn.Module):
    """Σ_j softmax_j(score(x_i, x_j))·x_j over channels; it has no parameters."""

    def __init__(self, scores: str) -> None:
        super().__init__()
        self.scores = CHANNEL_SCORES[scores]

    def weights(self, x_BCHW: Tensor) -> Tensor:
        """Return for every channel what it takes from each channel, in fp32."""
        return self.scores(x_BCHW.flatten(2)).softmax(dim=-1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return what each channel takes, without the channel itself."""
        weights_BCC = self.weights(x_BCHW).to(x_BCHW.dtype)
        x_BNC = x_BCHW.flatten(2).transpose(1, 2)
        mixed_BNC = torch.bmm(x_BNC, weights_BCC.transpose(1, 2))  # lies in memory as the input
        return mixed_BNC.transpose(1, 2).reshape(x_BCHW.shape)


class Dual(AttentionModule):
    """y = x + α·positions(x) + β·channels(x); starts as the identity, α = β = 0."""

    def __init__(self, channels: int, sizes: DualSizes) -> None:
        super().__init__()
        self.has_position = sizes.branches != "channel"
        self.has_channel = sizes.branches != "position"
        if self.has_position:
            self.position = PositionMixing(channels, sizes.embedding)
            self.alpha = nn.Parameter(torch.empty(()))
        if self.has_channel:
            self.channel = ChannelMixing(sizes.channel_scores)
            self.beta = nn.Parameter(torch.empty(()))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the projections anew and close both branches."""
        if self.has_position:
            for conv in (self.position.query, self.position.key, self.position.value):
                conv.reset_parameters()
            nn.init.zeros_(self.alpha)
        if self.has_channel:
            nn.init.zeros_(self.beta)

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the weights and the gain of each branch."""
        found: dict[str, Gate] = {}
        if self.has_position:
            found["position"] = rows(self.position.weights(x_BCHW))
            found["alpha"] = scalar(self.alpha)
        if self.has_channel:
            found["channel"] = rows(self.channel.weights(x_BCHW))
            found["beta"] = scalar(self.beta)
        return found

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the input and what both branches add to it."""
        y_BCHW = x_BCHW
        if self.has_position:
            y_BCHW = y_BCHW + self.alpha * self.position(x_BCHW)
        if self.has_channel:
            y_BCHW = y_BCHW + self.beta * self.channel(x_BCHW)
        return y_BCHW
