"""Global attention mechanism (GAM) as data.

Source: Liu et al., Global Attention Mechanism, arXiv:2112.05561, sec. 3. No official code exists;
the sigmoid behind the channel MLP is the paper's, which the code in circulation leaves out.
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
class GAMSizes(Sizes):
    """Bottleneck width, the form of the spatial gate, its kernel and its groups."""

    hidden: int
    variant: str
    kernel: int
    groups: int


class GAM(Mechanism):
    """A channel MLP at every position, then a spatial gate of large kernels; both gates C·H·W."""

    kind: Literal["gam"] = "gam"
    variant: Annotated[
        str, AfterValidator(one_of("full", "grouped", "factorised", "depthwise"))
    ] = "full"
    reduction: Annotated[int, AfterValidator(one_of(4, 8, 16))] = 4
    min_width: Annotated[int, AfterValidator(one_of(1, 4, 8))] = 4
    kernel: Annotated[int, AfterValidator(one_of(3, 5, 7))] = 7
    groups: Annotated[int, AfterValidator(one_of(2, 4))] = 4

    usual_position: ClassVar[UsualPosition] = "residual"
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {
        "variant": ("full", "grouped", "factorised", "depthwise"),
        "reduction": (4, 8, 16),
        "kernel": (3, 5, 7),
        "groups": (2, 4),
    }

    def sizes(self, shape: Shape) -> GAMSizes:
        """Return M = max(M_min, C // r), the kernel, and the groups (1 unless grouped)."""
        hidden = bottleneck(shape.channels, self.reduction, self.min_width)
        groups = self.groups if self.variant == "grouped" else 1
        return GAMSizes(hidden, self.variant, self.kernel, groups)

    def macs(self, shape: Shape) -> int:
        """Return N times the weights of the MLP and of the spatial gate."""
        hidden = self.sizes(shape).hidden
        return (2 * shape.channels * hidden + self._spatial_weights(shape)) * shape.positions

    def params(self, shape: Shape) -> int:
        """Return the weights, the biases of every layer, and two affine norms."""
        channels, hidden = shape.channels, self.sizes(shape).hidden
        weights = 2 * channels * hidden + self._spatial_weights(shape)
        biases = {"full": 4, "grouped": 4, "factorised": 6, "depthwise": 5}[self.variant] * hidden
        return weights + biases + 4 * channels

    def _spatial_weights(self, shape: Shape) -> int:
        """Return 2·k²·C·M/g; or 2·C·M with 2·k·M² (factorised) or k²·M (depthwise) between."""
        channels, size = shape.channels, self.sizes(shape)
        if self.variant == "factorised":
            return 2 * channels * size.hidden + 2 * size.kernel * size.hidden**2
        if self.variant == "depthwise":
            return 2 * channels * size.hidden + size.kernel**2 * size.hidden
        return 2 * size.kernel**2 * channels * size.hidden // size.groups

    def reason_invalid(self, shape: Shape) -> str | None:
        """Refuse groups that do not divide both widths of the spatial gate."""
        size = self.sizes(shape)
        if shape.channels % size.groups or size.hidden % size.groups:
            return (
                f"groups must divide the channels {shape.channels} and the hidden width "
                f"{size.hidden}, got {size.groups}"
            )
        return None

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Refuse kernels larger than the map."""
        return kernel_reason(self.kernel, shape)

    def is_active(self, name: str) -> bool:
        """Say that groups serve the grouped variant only."""
        return name != "groups" or self.variant == "grouped"

    def in_words(self) -> str:
        """Return `gam grouped4 r4 k7`."""
        form = f"grouped{self.groups}" if self.variant == "grouped" else self.variant
        return f"gam {form} r{self.reduction} k{self.kernel}"
