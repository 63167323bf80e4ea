"""Triplet attention as data.

Source: Misra et al., Rotate to Attend, arXiv:2010.03045, sec. 3.2; a batch norm behind each
convolution, which has no bias, as in the authors' code.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from ..shape import Shape
from .mechanism import Choice, Mechanism, Sizes, UsualPosition, kernel_reason, one_of


@dataclass(frozen=True, slots=True)
class TripletSizes(Sizes):
    """The side of the kernel in all three planes."""

    kernel: int


class Triplet(Mechanism):
    """Mean of three gated copies, one gate for each plane: of the map, and of channels by side."""

    kind: Literal["triplet"] = "triplet"
    kernel: Annotated[int, AfterValidator(one_of(3, 5, 7))] = 7

    usual_position: ClassVar[UsualPosition] = "residual"
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {"kernel": (3, 7)}

    def sizes(self, shape: Shape) -> TripletSizes:
        """Return the kernel."""
        return TripletSizes(self.kernel)

    def macs(self, shape: Shape) -> int:
        """Return 2·k² for each place of the three planes: 2·k²·(H·W + C·W + C·H)."""
        planes = shape.positions + shape.channels * (shape.height + shape.width)
        return 2 * self.kernel**2 * planes

    def params(self, shape: Shape) -> int:
        """Return three times 2·k² and the norm's 2."""
        return 3 * (2 * self.kernel**2 + 2)

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Refuse kernels larger than the map."""
        return kernel_reason(self.kernel, shape)

    def in_words(self) -> str:
        """Return `triplet k7`."""
        return f"triplet k{self.kernel}"
