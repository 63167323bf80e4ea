"""The basic residual block, with a named slot for attention.

Source: He et al., Deep Residual Learning, arXiv:1512.03385, sec. 3.3 and 4.2.
Shapes: B images, C channels in, W channels out, H x H and S x S positions in and out.
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import pad, relu


def convolution(entering: int, width: int, kernel: int, stride: int) -> nn.Conv2d:
    """Return a convolution without bias, in He's normal start for what it sends out.

    Each convolution of the backbone is drawn here and nowhere else: a pass over the finished
    model would undo the starts that attention modules give themselves.
    """
    conv = nn.Conv2d(entering, width, kernel, stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


class PadShortcut(nn.Module):
    """Every other position, and zeros for the channels that are new (option A)."""

    def __init__(self, num_new: int, stride: int) -> None:
        super().__init__()
        self.num_new = num_new
        self.stride = stride

    def forward(self, x_BCHH: Tensor) -> Tensor:
        """Return the input, sub-sampled and widened, without parameters."""
        x_BCSS = x_BCHH[:, :, :: self.stride, :: self.stride]
        return pad(x_BCSS, (0, 0, 0, 0, 0, self.num_new))


def shortcut_of(
    kind: Literal["pad", "projection"], entering: int, width: int, stride: int
) -> nn.Module:
    """Return the identity where the shape stays, else the backbone's kind of shortcut."""
    if entering == width and stride == 1:
        return nn.Identity()
    if kind == "pad":
        return PadShortcut(width - entering, stride)
    return nn.Sequential(convolution(entering, width, 1, stride), nn.BatchNorm2d(width))


class BasicBlock(nn.Module):
    """relu(residual(norm(conv(relu(norm(conv(x)))))) + shortcut(x)).

    `residual` holds the attention behind the branch's last norm, applied in order; empty, it is
    the identity.
    """

    def __init__(
        self, entering: int, width: int, *, stride: int, shortcut: nn.Module, residual: nn.Module
    ) -> None:
        super().__init__()
        self.conv1 = convolution(entering, width, 3, stride)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3, 1)
        self.norm2 = nn.BatchNorm2d(width)
        self.residual = residual
        self.shortcut = shortcut

    def forward(self, x_BCHH: Tensor) -> Tensor:
        """Return the block's output, after its last activation."""
        y_BWSS = relu(self.norm1(self.conv1(x_BCHH)), inplace=True)
        y_BWSS = self.residual(self.norm2(self.conv2(y_BWSS)))
        return relu(y_BWSS + self.shortcut(x_BCHH), inplace=True)
