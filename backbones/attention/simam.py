"""SimAM: positions that stand out from their channel's mean keep more, without parameters.

Source: Yang et al., SimAM: A Simple, Parameter-Free Attention Module for Convolutional Neural
Networks, ICML 2021, PMLR 139, sec. 3.2: the inverse of the least energy of eq. 5.
Departs from it: the variance is over N − 1 as in the authors' code, where eq. 5 has N.
Shapes: B images, C channels, H x W positions, N = H·W of them.
"""

import torch
from torch import Tensor

from space.attention.simam import SimAMSizes

from .gate import AttentionModule, Gate, tensor


class SimAM(AttentionModule):
    """y = x ⊙ σ((x − μ)²/(4(v + λ)) + ½), μ and v of each image's channel; needs N > 1.

    A gate is never below σ(½) = 0.62, and the mean of what it adds to ½ is below ¼: about two
    thirds of the residual branch, at the start and always.
    """

    def __init__(self, _channels: int, sizes: SimAMSizes) -> None:
        super().__init__()
        self.regulariser = sizes.regulariser

    def gate(self, x_BCHW: Tensor) -> Tensor:
        """Return one number from σ(½) to 1 for each image, channel and position."""
        deviation_BCHW = x_BCHW - x_BCHW.mean(dim=(2, 3), keepdim=True)
        square_BCHW = deviation_BCHW * deviation_BCHW
        others = x_BCHW.shape[2] * x_BCHW.shape[3] - 1
        variance_BC11 = square_BCHW.sum(dim=(2, 3), keepdim=True) / others
        return torch.sigmoid(square_BCHW / (4 * (variance_BC11 + self.regulariser)) + 0.5)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the gated input."""
        return x_BCHW * self.gate(x_BCHW)

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return the gate of every position; that it is σ(½) at the mean is no saturation."""
        return {"gate": tensor(self.gate(x_BCHW), limits=None)}
