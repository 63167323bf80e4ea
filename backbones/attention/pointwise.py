"""Softmax logits that are a linear map of each position alone.

Shapes: B images, C channels, H x W positions, N = H·W, M maps of logits.
"""

from torch import Tensor, nn

from .logits import logits


def pointwise_logits(conv: nn.Conv2d, x_BCHW: Tensor) -> Tensor:
    """Return W·x + b of a 1x1 convolution in fp32, which autocast would leave at 8 bits."""
    assert conv.bias is not None
    return logits(conv.weight.flatten(1), x_BCHW.flatten(2)) + conv.bias.float()[:, None]
