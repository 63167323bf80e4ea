"""Double attention (A²-Net) as data.

Source: Chen et al., A²-Nets: Double Attention Networks, arXiv:1810.11579, sec. 3.
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
class DoubleSizes(Sizes):
    """How many maps gather and distribute, and as many channels are gathered: n = m."""

    maps: int


class Double(Mechanism):
    """Gather the whole map into a few descriptors, then give every position its mix of them."""

    kind: Literal["double"] = "double"
    reduction: Annotated[int, AfterValidator(one_of(2, 4, 8))] = 4

    usual_position: ClassVar[UsualPosition] = "stage_end"
    starts_as_identity: ClassVar[bool] = True
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {"reduction": (2, 4, 8)}

    def sizes(self, shape: Shape) -> DoubleSizes:
        """Return m = n = max(1, C // r)."""
        return DoubleSizes(bottleneck(shape.channels, self.reduction, 1))

    def macs(self, shape: Shape) -> int:
        """Return N·(2·C·m + 2·C·n) for the projections, 2·m·n·N for the two products."""
        maps = self.sizes(shape).maps
        return shape.positions * (4 * shape.channels * maps + 2 * maps**2)

    def params(self, shape: Shape) -> int:
        """Return 2·C·m + 2·C·n weights and m + 2·n + C biases."""
        channels, maps = shape.channels, self.sizes(shape).maps
        return 4 * channels * maps + 3 * maps + channels

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Refuse fewer than 4 maps."""
        return narrow_reason("maps", self.sizes(shape).maps, 4)

    def in_words(self) -> str:
        """Return `double r4`."""
        return f"double r{self.reduction}"
