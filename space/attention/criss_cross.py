"""Criss-cross attention (CCNet) as data.

Source: Huang et al., CCNet, arXiv:1811.11721, sec. 3.2 and 3.3.
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
)


@dataclass(frozen=True, slots=True)
class CrissCrossSizes(Sizes):
    """Width of queries and keys, and how often the same module is applied."""

    embedding: int
    recurrences: int


class CrissCross(Mechanism):
    """Every position attends to its row and column; twice reaches the whole map."""

    kind: Literal["criss_cross"] = "criss_cross"
    reduction: Annotated[int, AfterValidator(one_of(2, 4, 8))] = 8
    recurrences: Annotated[int, AfterValidator(one_of(1, 2))] = 2

    usual_position: ClassVar[UsualPosition] = "stage_end"
    starts_as_identity: ClassVar[bool] = True
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {
        "reduction": (4, 8),
        "recurrences": (1, 2),
    }

    def sizes(self, shape: Shape) -> CrissCrossSizes:
        """Return d = max(1, C // r)."""
        return CrissCrossSizes(bottleneck(shape.channels, self.reduction, 1), self.recurrences)

    def macs(self, shape: Shape) -> int:
        """Return R·[(2·C·d + C²)·N + N·(H + W)·(d + C)]; the masked entry is computed too."""
        channels, width = shape.channels, self.sizes(shape).embedding
        projections = (2 * channels * width + channels**2) * shape.positions
        products = shape.positions * (shape.height + shape.width) * (width + channels)
        return self.recurrences * (projections + products)

    def params(self, shape: Shape) -> int:
        """Return 2·C·d + 2·d + C² + C + 1; the recurrences share them."""
        channels, width = shape.channels, self.sizes(shape).embedding
        return 2 * channels * width + 2 * width + channels**2 + channels + 1

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Refuse embeddings below 4."""
        return narrow_reason("embedding", self.sizes(shape).embedding, 4)

    def in_words(self) -> str:
        """Return `criss_cross R2 r8`."""
        return f"criss_cross R{self.recurrences} r{self.reduction}"
