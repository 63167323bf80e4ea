"""Efficient channel attention (ECA) as data.

Source: Wang et al., ECA-Net, arXiv:1910.03151, sec. 3.2.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from ..shape import Shape
from .mechanism import Choice, Mechanism, Sizes, UsualPosition, one_of


@dataclass(frozen=True, slots=True)
class ECASizes(Sizes):
    """How many neighbouring channels each gate is computed from."""

    kernel: int


class ECA(Mechanism):
    """Scale every channel by a gate computed from the means of its neighbours."""

    kind: Literal["eca"] = "eca"
    kernel: Annotated[int | str, AfterValidator(one_of("adaptive", 3, 5, 7, 9))] = "adaptive"

    usual_position: ClassVar[UsualPosition] = "residual"
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {"kernel": ("adaptive", 3, 5, 7)}

    def sizes(self, shape: Shape) -> ECASizes:
        """Return the kernel, adapted to the channels where none is given."""
        if isinstance(self.kernel, int):
            return ECASizes(self.kernel)
        return ECASizes(adaptive_kernel(shape.channels))

    def macs(self, shape: Shape) -> int:
        """Return k·C."""
        return self.sizes(shape).kernel * shape.channels

    def params(self, shape: Shape) -> int:
        """Return k."""
        return self.sizes(shape).kernel

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Refuse kernels that reach over all channels from wherever they stand."""
        kernel = self.sizes(shape).kernel
        if kernel > shape.channels:
            return f"kernel must be at most the number of channels {shape.channels}, got {kernel}"
        return None

    def in_words(self) -> str:
        """Return `eca adaptive` or `eca k5`."""
        return f"eca k{self.kernel}" if isinstance(self.kernel, int) else f"eca {self.kernel}"


def adaptive_kernel(channels: int) -> int:
    """Return ⌊(log2 C + 1)/2⌋, the next odd number where it is even, and at least 3.

    Sec. 3.3 with its γ = 2 and b = 1; the least of 3 is that of the authors' networks.
    """
    half = channels.bit_length() // 2  # ⌊log2 C⌋ + 1 is the number of bits
    return max(3, half | 1)
