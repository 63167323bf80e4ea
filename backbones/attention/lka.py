"""Large kernel attention (VAN): a gate from a large depthwise kernel, taken in two steps.

Source: Guo et al., Visual Attention Network, arXiv:2202.09741, sec. 3.1.
Departs from it: the last convolution starts at weights 0 and biases 1, since the gate is not
bounded and multiplies a branch that works without it.
Shapes: B images, C channels, H x W positions.
"""

from torch import Tensor, nn

from space.attention.lka import LKASizes

from .gate import AttentionModule, Gate, tensor


class DistantTaps(nn.Conv2d):
    """A depthwise convolution with its taps apart."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the convolution, on a CPU in the layout that has a kernel for it."""
        if x_BCHW.device.type != "cpu" or self.dilation < (3, 3):
            return super().forward(x_BCHW)
        # 7x7 taps 3 apart, with the module around it, forward and backward, batch 64 of 16@32x32,
        # one core: 0.53 s in channels_last, 0.26 s so. The strides of a view are those of NCHW,
        # which `contiguous` would not change where there is one channel.
        weight_C1KK = self.weight.flatten(1).view(self.weight.shape)
        y_BCHW: Tensor = self._conv_forward(x_BCHW.contiguous(), weight_C1KK, self.bias)
        return y_BCHW


class LKA(AttentionModule):
    """y = x ⊙ mix(distant(local(x))): depthwise, depthwise with its taps apart, then 1 x 1.

    Starts as the identity: every gate is 1.
    """

    def __init__(self, channels: int, sizes: LKASizes) -> None:
        super().__init__()
        self.local = nn.Conv2d(
            channels, channels, sizes.local, padding=sizes.local // 2, groups=channels
        )
        self.distant = DistantTaps(
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
