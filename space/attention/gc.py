"""Global context block (GCNet) as data.

Source: Cao et al., GCNet, arXiv:1904.11492, sec. 4.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from ..shape import Shape
from .mechanism import Choice, Mechanism, Sizes, UsualPosition, bottleneck, one_of


@dataclass(frozen=True, slots=True)
class GCSizes(Sizes):
    """Width between the two layers that transform the context."""

    hidden: int


class GC(Mechanism):
    """Add to every position the same vector, made of one weighted mean of all positions."""

    kind: Literal["gc"] = "gc"
    reduction: Annotated[int, AfterValidator(one_of(4, 8, 16))] = 16
    # The norm between the layers turns a width of 1 into 0, whatever the image.
    min_width: Annotated[int, AfterValidator(one_of(4, 8))] = 4

    usual_position: ClassVar[UsualPosition] = "stage_end"
    starts_as_identity: ClassVar[bool] = True
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {"reduction": (4, 8, 16)}

    def sizes(self, shape: Shape) -> GCSizes:
        """Return M = max(M_min, C // r)."""
        return GCSizes(bottleneck(shape.channels, self.reduction, self.min_width))

    def macs(self, shape: Shape) -> int:
        """Return 2·C·N for the weights and their mean, 2·C·M for the two layers."""
        return 2 * shape.channels * (shape.positions + self.sizes(shape).hidden)

    def params(self, shape: Shape) -> int:
        """Return 2·C·M + M + C for the layers, the norm's 2·M, and C + 1 for the weights."""
        channels, hidden = shape.channels, self.sizes(shape).hidden
        return 2 * channels * hidden + 3 * hidden + 2 * channels + 1

    def in_words(self) -> str:
        """Return `gc r16`."""
        return f"gc r{self.reduction}"
