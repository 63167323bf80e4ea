"""Bottleneck attention module (BAM) as data.

Source: Park et al., BAM, arXiv:1807.06514, sec. 3; biases as in the authors' code.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from ..shape import Shape
from .mechanism import Choice, Mechanism, Sizes, UsualPosition, bottleneck, one_of


@dataclass(frozen=True, slots=True)
class BAMSizes(Sizes):
    """Width that both branches squeeze to, and how far apart the taps over the map stand."""

    hidden: int
    dilation: int


class BAM(Mechanism):
    """x ⊙ (1 + gate), one gate from what the channels and what the positions say together."""

    kind: Literal["bam"] = "bam"
    reduction: Annotated[int, AfterValidator(one_of(4, 8, 16))] = 16
    min_width: Annotated[int, AfterValidator(one_of(1, 4, 8))] = 4
    dilation: Annotated[int, AfterValidator(one_of(1, 2, 4))] = 4

    usual_position: ClassVar[UsualPosition] = "stage_end"
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {
        "reduction": (4, 8, 16),
        "dilation": (1, 2, 4),
    }

    def sizes(self, shape: Shape) -> BAMSizes:
        """Return M = max(M_min, C // r) and the dilation."""
        hidden = bottleneck(shape.channels, self.reduction, self.min_width)
        return BAMSizes(hidden, self.dilation)

    def macs(self, shape: Shape) -> int:
        """Return 2·C·M for the channels, N·(C·M + 18·M² + M) for the positions."""
        channels, hidden = shape.channels, self.sizes(shape).hidden
        by_position = channels * hidden + 18 * hidden**2 + hidden
        return 2 * channels * hidden + shape.positions * by_position

    def params(self, shape: Shape) -> int:
        """Return 2·C·M + C + 3·M, and (C·M + 3·M) + 2·(9·M² + 3·M) + M + 1.

        Each 3·M is a layer's biases and its norm's two numbers for each channel.
        """
        channels, hidden = shape.channels, self.sizes(shape).hidden
        by_channel = 2 * channels * hidden + channels + 3 * hidden
        convolutions = 2 * (9 * hidden**2 + 3 * hidden)
        return by_channel + (channels * hidden + 3 * hidden) + convolutions + hidden + 1

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Refuse dilations at which only the middle tap of a kernel ever meets the map."""
        smallest = min(shape.height, shape.width)
        if self.dilation >= smallest:
            return f"dilation must be less than the map's side {smallest}, got {self.dilation}"
        return None

    def in_words(self) -> str:
        """Return `bam r16 d4`."""
        return f"bam r{self.reduction} d{self.dilation}"
