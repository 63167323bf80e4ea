"""SimAM as data: attention without parameters.

Source: Yang et al., SimAM: A Simple, Parameter-Free Attention Module for Convolutional Neural
Networks, ICML 2021, PMLR 139, sec. 3.2 and 4.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from ..shape import Shape
from .mechanism import Choice, Mechanism, Sizes, UsualPosition, one_of


@dataclass(frozen=True, slots=True)
class SimAMSizes(Sizes):
    """What is added to every variance, λ in the paper."""

    regulariser: float


class SimAM(Mechanism):
    """Scale every position by how far it stands out from its channel's mean."""

    kind: Literal["simam"] = "simam"
    regulariser: Annotated[float, AfterValidator(one_of(1e-4, 1e-1))] = 1e-4

    usual_position: ClassVar[UsualPosition] = "residual"
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {"regulariser": (1e-4, 1e-1)}

    def sizes(self, shape: Shape) -> SimAMSizes:
        """Return λ."""
        return SimAMSizes(self.regulariser)

    def macs(self, shape: Shape) -> int:
        """Return 0: elementwise work is not counted."""
        return 0

    def params(self, shape: Shape) -> int:
        """Return 0."""
        return 0

    def reason_invalid(self, shape: Shape) -> str | None:
        """Refuse a single position: it has no variance that λ could be added to."""
        if shape.positions < 2:
            return (
                f"regulariser needs a map of at least 2 positions, "
                f"got {shape.height}x{shape.width}"
            )
        return None

    def in_words(self) -> str:
        """Return `simam 0.0001`."""
        return f"simam {self.regulariser:g}"
