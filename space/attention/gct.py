"""Gated channel transformation (GCT) as data.

Source: Yang et al., Gated Channel Transformation for Visual Recognition, arXiv:1909.11519, sec. 3.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from ..shape import Shape
from .mechanism import Choice, Mechanism, Sizes, UsualPosition, one_of


@dataclass(frozen=True, slots=True)
class GCTSizes(Sizes):
    """By which norm a channel is measured."""

    norm: str


class GCT(Mechanism):
    """Scale every channel by how its norm compares with the others'; the identity at first."""

    kind: Literal["gct"] = "gct"
    norm: Annotated[str, AfterValidator(one_of("l2", "l1"))] = "l2"

    usual_position: ClassVar[UsualPosition] = "residual"
    starts_as_identity: ClassVar[bool] = True
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {"norm": ("l2", "l1")}

    def sizes(self, shape: Shape) -> GCTSizes:
        """Return the norm."""
        return GCTSizes(self.norm)

    def macs(self, shape: Shape) -> int:
        """Return 0: norms and elementwise work are not counted."""
        return 0

    def params(self, shape: Shape) -> int:
        """Return 3·C."""
        return 3 * shape.channels

    def in_words(self) -> str:
        """Return `gct l2`."""
        return f"gct {self.norm}"
