"""Convolutional Block Attention Module as data.

Source: Woo et al., CBAM, arXiv:1807.06521, sec. 3; biased MLP and a batch norm behind the
spatial convolution as in the authors' code.
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
    kernel_reason,
    one_of,
)


@dataclass(frozen=True, slots=True)
class CBAMSizes(Sizes):
    """Width of the shared MLP, its biases, and the side of the spatial kernel."""

    hidden: int
    bias: bool
    kernel: int


class CBAM(Mechanism):
    """A channel gate from average and maximum, then a spatial gate from average and maximum."""

    kind: Literal["cbam"] = "cbam"
    reduction: Annotated[int, AfterValidator(one_of(2, 4, 8, 16, 32))] = 16
    min_width: Annotated[int, AfterValidator(one_of(1, 4, 8))] = 4
    bias: bool = True
    kernel: Annotated[int, AfterValidator(one_of(3, 5, 7))] = 7

    usual_position: ClassVar[UsualPosition] = "residual"
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {"reduction": (4, 8, 16), "kernel": (3, 7)}

    def sizes(self, shape: Shape) -> CBAMSizes:
        """Return M = max(M_min, C // r) and the kernel."""
        hidden = bottleneck(shape.channels, self.reduction, self.min_width)
        return CBAMSizes(hidden, self.bias, self.kernel)

    def macs(self, shape: Shape) -> int:
        """Return 4·C·M (the MLP runs twice) and 2·k²·N."""
        hidden = self.sizes(shape).hidden
        return 4 * shape.channels * hidden + 2 * self.kernel**2 * shape.positions

    def params(self, shape: Shape) -> int:
        """Return 2·C·M, M + C with biases, 2·k² and the norm's 2."""
        hidden = self.sizes(shape).hidden
        mlp = 2 * shape.channels * hidden + self.bias * (hidden + shape.channels)
        return mlp + 2 * self.kernel**2 + 2

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Refuse kernels larger than the map."""
        return kernel_reason(self.kernel, shape)

    def in_words(self) -> str:
        """Return `cbam r16 k7`."""
        return f"cbam r{self.reduction} k{self.kernel}"
