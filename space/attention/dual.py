"""Dual attention (DANet) as data: one residual plug-in, not two summed ones.

Source: Fu et al., Dual Attention Network for Scene Segmentation, arXiv:1809.02983, sec. 3.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from ..shape import Shape
from .mechanism import (
    Choice,
    Mechanism,
    Sizes,
    UsualPosition,
    bottleneck,
    narrow_reason,
    one_of,
    quadratic_reason,
)


@dataclass(frozen=True, slots=True)
class DualSizes(Sizes):
    """Width of queries and keys (0 without them), and which scores the channels compare by."""

    embedding: int
    branches: str
    channel_scores: str


class Dual(Mechanism):
    """x + α·(position attention) + β·(channel attention), α = β = 0 at the start."""

    kind: Literal["dual"] = "dual"
    branches: Annotated[str, AfterValidator(one_of("position", "channel", "both"))] = "both"
    reduction: Annotated[int, AfterValidator(one_of(2, 4, 8))] = 8
    channel_scores: Annotated[str, AfterValidator(one_of("flipped", "scaled", "cosine"))] = (
        "flipped"
    )

    usual_position: ClassVar[UsualPosition] = "stage_end"
    starts_as_identity: ClassVar[bool] = True
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {
        "branches": ("position", "channel", "both"),
        "reduction": (4, 8),
        "channel_scores": ("flipped", "scaled", "cosine"),
    }

    def sizes(self, shape: Shape) -> DualSizes:
        """Return d = max(1, C // r) where there is a position branch."""
        width = bottleneck(shape.channels, self.reduction, 1) if self.has_position else 0
        scores = self.channel_scores if self.has_channel else ""
        return DualSizes(width, self.branches, scores)

    @property
    def has_position(self) -> bool:
        """Say whether positions attend to positions."""
        return self.branches != "channel"

    @property
    def has_channel(self) -> bool:
        """Say whether channels attend to channels."""
        return self.branches != "position"

    def macs(self, shape: Shape) -> int:
        """Return (2·C·d + C²)·N + N²·(d + C) for positions, 2·C²·N for channels."""
        channels, positions = shape.channels, shape.positions
        width = self.sizes(shape).embedding
        by_position = (2 * channels * width + channels**2) * positions
        by_position += positions**2 * (width + channels)
        return self.has_position * by_position + self.has_channel * 2 * channels**2 * positions

    def params(self, shape: Shape) -> int:
        """Return 2·C·d + 2·d + C² + C + 1 for positions, 1 for channels."""
        channels, width = shape.channels, self.sizes(shape).embedding
        by_position = 2 * channels * width + 2 * width + channels**2 + channels + 1
        return self.has_position * by_position + self.has_channel

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Refuse position maps over more than 256 positions, and embeddings below 4."""
        if not self.has_position:
            return None
        narrow = narrow_reason("embedding", self.sizes(shape).embedding, 4)
        return quadratic_reason(shape) or narrow

    def is_active(self, name: str) -> bool:
        """Say that the reduction serves positions only, the scores channels only."""
        return {"reduction": self.has_position, "channel_scores": self.has_channel}.get(name, True)

    def in_words(self) -> str:
        """Return `dual both r8 flipped`."""
        reduction = f" r{self.reduction}" if self.has_position else ""
        scores = f" {self.channel_scores}" if self.has_channel else ""
        return f"dual {self.branches}{reduction}{scores}"
