"""Large kernel attention (VAN): a gate from a large depthwise kernel, taken in two steps.

Source: Guo et al., Visual Attention Network, arXiv:2202.09741, sec. 3.1.
Departs from it: the last convolution starts at weights 0 and biases 1, since the gate is not
bounded and multiplies a branch that works without it.
Shapes: B images, C channels, H x W positions.
"""

from typing import ClassVar

from torch import Tensor, nn

from space.attention.lka import LKASizes

from .gate import AttentionModule, Gate, tensor


class LKA(AttentionModule):
    """y = x ⊙ mix(distant(local(x))): depthwise, depthwise with its taps apart, then 1 x 1.

    Starts as the identity: every gate is 1.
    """

    starts_as_identity: ClassVar[bool] = True

    def __init__(self, channels: int, sizes: LKASizes) -> None:
        super().__init__()
        self.local = nn.Conv2d(
            channels, channels, sizes.local, padding=sizes.local // 2, groups=channels
        )
        self.distant = nn.Conv2d(
            channels,
            channels,
            sizes.taps,
            padding=sizes.reach,
            dilation=sizes.dilation,
            groups=channels,
        )
        self.mix = nn.Conv2d(channels, channels, 1)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the depthwise kernels anew and set every gate to 1."""
        self.local.reset_parameters()
        self.distant.reset_parameters()
        nn.init.zeros_(self.mix.weight)
        assert self.mix.bias is not None
        nn.init.ones_(self.mix.bias)

    def gate(self, x_BCHW: Tensor) -> Tensor:
        """Return one number without bounds for each image, channel and position."""
        gate_BCHW: Tensor = self.mix(self.distant(self.local(x_BCHW)))
        return gate_BCHW

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the gate."""
        return {"gate": tensor(self.gate(x_BCHW), limits=None)}

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the gated input."""
        return x_BCHW * self.gate(x_BCHW)
