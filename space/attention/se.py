"""Squeeze-and-Excitation as data.

Source: Hu et al., Squeeze-and-Excitation Networks, arXiv:1709.01507, sec. 3; biased layers as in
the released Caffe models.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from ..shape import Shape
from .mechanism import Choice, Mechanism, Sizes, UsualPosition, bottleneck, one_of


@dataclass(frozen=True, slots=True)
class SESizes(Sizes):
    """Width between the two layers, and whether they have biases."""

    hidden: int
    bias: bool


class SE(Mechanism):
    """Scale every channel by a gate computed from all channel means."""

    kind: Literal["se"] = "se"
    reduction: Annotated[int, AfterValidator(one_of(2, 4, 8, 16, 32))] = 16
    min_width: Annotated[int, AfterValidator(one_of(1, 4, 8))] = 4
    bias: bool = True

    usual_position: ClassVar[UsualPosition] = "residual"
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {"reduction": (4, 8, 16)}

    def sizes(self, shape: Shape) -> SESizes:
        """Return M = max(M_min, C // r)."""
        return SESizes(bottleneck(shape.channels, self.reduction, self.min_width), self.bias)

    def macs(self, shape: Shape) -> int:
        """Return 2·C·M."""
        return 2 * shape.channels * self.sizes(shape).hidden

    def params(self, shape: Shape) -> int:
        """Return 2·C·M, and M + C with biases."""
        hidden = self.sizes(shape).hidden
        return 2 * shape.channels * hidden + self.bias * (hidden + shape.channels)

    def in_words(self) -> str:
        """Return `se r16`."""
        return f"se r{self.reduction}"
