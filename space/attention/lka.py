"""Large kernel attention (VAN) as data.

Source: Guo et al., Visual Attention Network, arXiv:2202.09741, sec. 3.1.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from ..shape import Shape
from .mechanism import Choice, Mechanism, Sizes, UsualPosition, one_of

# Taps of the dilated kernel, K/d for the large kernel K: the paper's 21 for d = 3, and 10 for
# d = 2, where both are odd as centred kernels must be.
TAPS = {2: 5, 3: 7}


@dataclass(frozen=True, slots=True)
class LKASizes(Sizes):
    """Sides of the dense and of the dilated depthwise kernel, and the dilation."""

    local: int
    taps: int
    dilation: int

    @property
    def reach(self) -> int:
        """How many positions off the middle the outermost tap of the dilated kernel stands."""
        return self.dilation * (self.taps // 2)


class LKA(Mechanism):
    """Scale every number by what a large depthwise kernel, in two steps, sees around it."""

    kind: Literal["lka"] = "lka"
    dilation: Annotated[int, AfterValidator(one_of(2, 3))] = 3

    usual_position: ClassVar[UsualPosition] = "residual"
    starts_as_identity: ClassVar[bool] = True
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {"dilation": (2, 3)}

    def sizes(self, shape: Shape) -> LKASizes:
        """Return a = 2·d − 1, which leaves no gap between dilated taps, and k = K/d."""
        return LKASizes(2 * self.dilation - 1, TAPS[self.dilation], self.dilation)

    def macs(self, shape: Shape) -> int:
        """Return (C² + (a² + k²)·C)·N."""
        channels, sizes = shape.channels, self.sizes(shape)
        depthwise = (sizes.local**2 + sizes.taps**2) * channels
        return (channels**2 + depthwise) * shape.positions

    def params(self, shape: Shape) -> int:
        """Return C² + (a² + k²)·C, and 3·C biases."""
        channels, sizes = shape.channels, self.sizes(shape)
        return channels**2 + (sizes.local**2 + sizes.taps**2 + 3) * channels

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Refuse kernels whose outermost taps never meet the map."""
        reach, smallest = self.sizes(shape).reach, min(shape.height, shape.width)
        if reach >= smallest:
            return (
                f"dilation must leave the outermost tap less than the map's side {smallest} off "
                f"the middle, got {self.dilation}, which puts it at {reach}"
            )
        return None

    def in_words(self) -> str:
        """Return `lka d3`."""
        return f"lka d{self.dilation}"
