"""Coordinate attention as data.

Source: Hou et al., Coordinate Attention for Efficient Mobile Network Design, arXiv:2103.02907,
sec. 3.2; the least width of 8 as in the authors' code.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from ..shape import Shape
from .mechanism import Choice, Mechanism, Sizes, UsualPosition, bottleneck, one_of


@dataclass(frozen=True, slots=True)
class CoordSizes(Sizes):
    """Width that both strips share before each goes back to all channels."""

    hidden: int


class Coord(Mechanism):
    """Scale every position by a gate of its row and a gate of its column, in each channel."""

    kind: Literal["coord"] = "coord"
    reduction: Annotated[int, AfterValidator(one_of(8, 16, 32))] = 32
    min_width: Annotated[int, AfterValidator(one_of(4, 8))] = 8

    usual_position: ClassVar[UsualPosition] = "residual"
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {"reduction": (8, 16, 32)}

    def sizes(self, shape: Shape) -> CoordSizes:
        """Return M = max(M_min, C // r)."""
        return CoordSizes(bottleneck(shape.channels, self.reduction, self.min_width))

    def macs(self, shape: Shape) -> int:
        """Return 2·(H + W)·C·M: each place of a strip goes to M and back."""
        hidden = self.sizes(shape).hidden
        return 2 * (shape.height + shape.width) * shape.channels * hidden

    def params(self, shape: Shape) -> int:
        """Return 3·C·M for three projections, M + 2·C biases, and the norm's 2·M."""
        channels, hidden = shape.channels, self.sizes(shape).hidden
        return 3 * channels * hidden + 3 * hidden + 2 * channels

    def in_words(self) -> str:
        """Return `coord r32`."""
        return f"coord r{self.reduction}"
