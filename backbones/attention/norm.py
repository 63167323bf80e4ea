"""Batch normalisation for what is pooled so far that a batch of one leaves one value a channel.

Source: Ioffe and Szegedy, Batch Normalization, arXiv:1502.03167, algorithms 1 and 2.
Departs from it: in training one value alone has no variance (torch refuses it), so it is
normalised by the running statistics, which stay as they are.
Shapes: B images, C channels, H x W positions.
"""

from torch import Tensor, nn
from torch.nn import functional


class BatchNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d`, but for one image of 1x1 in training: that goes by running statistics."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the normalised input."""
        # The mode first: a trace of a module in evaluation compares no sizes.
        if not self.training or x_BCHW.shape[0] * x_BCHW.shape[2] * x_BCHW.shape[3] > 1:
            return super().forward(x_BCHW)
        return functional.batch_norm(
            x_BCHW, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )
