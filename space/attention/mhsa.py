"""Multi-head self-attention with relative positions (BoTNet) as data.

Source: Srinivas et al., Bottleneck Transformers for Visual Recognition, arXiv:2101.11605, sec. 3.
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
    narrow_reason,
    one_of,
    quadratic_reason,
)


@dataclass(frozen=True, slots=True)
class MHSASizes(Sizes):
    """Heads, the width of each, and the map whose offsets have keys of their own."""

    heads: int
    head_width: int
    height: int
    width: int


class MHSA(Mechanism):
    """Every position attends to all positions, by what is there and by how far away it is."""

    kind: Literal["mhsa"] = "mhsa"
    heads: Annotated[int, AfterValidator(one_of(1, 2, 4, 8))] = 4

    usual_position: ClassVar[UsualPosition] = "stage_end"
    starts_as_identity: ClassVar[bool] = True
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {"heads": (2, 4, 8)}

    def sizes(self, shape: Shape) -> MHSASizes:
        """Return the heads, d_h = C / heads and the map."""
        return MHSASizes(self.heads, shape.channels // self.heads, shape.height, shape.width)

    def macs(self, shape: Shape) -> int:
        """Return 3·C²·N + 2·N²·C, and N·C·(2·H + 2·W − 2) for all offsets at every position."""
        channels, positions = shape.channels, shape.positions
        products = 3 * channels**2 * positions + 2 * positions**2 * channels
        return products + positions * channels * num_offsets(shape)

    def params(self, shape: Shape) -> int:
        """Return 3·C² and (2·H + 2·W − 2)·d_h; the heads share the keys of the offsets."""
        return 3 * shape.channels**2 + num_offsets(shape) * self.sizes(shape).head_width

    def reason_invalid(self, shape: Shape) -> str | None:
        """Refuse heads that do not divide the channels."""
        if shape.channels % self.heads:
            return f"heads must divide the number of channels {shape.channels}, got {self.heads}"
        return None

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Refuse maps over more than 256 positions, and heads narrower than 4."""
        narrow = narrow_reason("head width", self.sizes(shape).head_width, 4)
        return quadratic_reason(shape) or narrow

    def in_words(self) -> str:
        """Return `mhsa h4`."""
        return f"mhsa h{self.heads}"


def num_offsets(shape: Shape) -> int:
    """Return how many offsets two positions may have: 2·H − 1 vertical, 2·W − 1 horizontal."""
    return 2 * shape.height - 1 + 2 * shape.width - 1
