"""Two forms of one non-local module, fused and written out, and how far apart they come out.

Shapes: B images, C channels, H x W positions, K keys, D embedding.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from backbones.attention import BUILDERS, AttentionModule
from backbones.attention.non_local import NonLocal, positions_first
from search.config import Precision
from search.training.loop import autocast
from space import Shape
from space.attention.non_local import NonLocal as Mechanism
from space.attention.non_local import NonLocalSizes

SHAPE = Shape(64, 32, 32)
MECHANISM = Mechanism(pairwise="embedded_gaussian", reduction=2, sub_sample=False)
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


class WrittenOut(NonLocal):
    """The same module with the map of all pairs in memory."""

    def mixed(self, x_BCHW: Tensor) -> Tensor:
        """Return what each position takes from the keys, by a softmax and a product."""
        pooled_BCHW = self.pooled(x_BCHW)
        value_BKD = positions_first(self.value(pooled_BCHW))
        return torch.bmm(self.weights(x_BCHW, pooled_BCHW).to(value_BKD.dtype), value_BKD)


FUSED, SOFTMAX = "fused", "softmax"
FORMS: dict[str, Callable[[int, NonLocalSizes], AttentionModule]] = {
    FUSED: BUILDERS["non_local"],
    SOFTMAX: WrittenOut,
}


def opened(form: str) -> AttentionModule:
    """Return the module with an open norm and torch's usual projections: attention matters.

    Both forms draw the same weights in the same order, so one seed makes them equal.
    """
    torch.manual_seed(0)
    module = FORMS[form](SHAPE.channels, MECHANISM.sizes(SHAPE))
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.BatchNorm2d):
            part.reset_parameters()
    return module


@dataclass(frozen=True, slots=True)
class Difference:
    """Two passes side by side: the largest absolute differences, and the largest values."""

    passes: str
    output: float
    largest_output: float
    input_gradient: float
    largest_input_gradient: float


class Pass:
    """Forward and backward of a module on fixed numbers, the same for every form."""

    def __init__(self, form: str, batch: int, device: torch.device, *, side: int = 32) -> None:
        self.module = opened(form).to(device).to(memory_format=torch.channels_last).train()
        torch.manual_seed(1)
        self.x_BCHW = drawn(batch, side, device).requires_grad_()
        self.slope_BCHW = drawn(batch, side, device)  # of the loss, at the output

    def __call__(self, precision: Precision) -> tuple[Tensor, Tensor]:
        """Return the output and the input's gradient."""
        self.forget()
        with autocast(self.x_BCHW.device, precision):
            y_BCHW: Tensor = self.module(self.x_BCHW)
        y_BCHW.backward(self.slope_BCHW.to(y_BCHW.dtype))
        assert self.x_BCHW.grad is not None
        return y_BCHW.detach(), self.x_BCHW.grad

    def forget(self) -> None:
        """Free the gradients of the pass before."""
        self.module.zero_grad(set_to_none=True)
        self.x_BCHW.grad = None


def drawn(batch: int, side: int, device: torch.device) -> Tensor:
    """Return normal numbers that lie in memory as a network's maps do."""
    x_BCHW = torch.randn(batch, SHAPE.channels, side, side)
    return x_BCHW.to(device).to(memory_format=torch.channels_last)


def differences(passes: dict[str, Pass]) -> list[Difference]:
    """Compare the forms in each precision, and what bf16 does to each of them."""
    found = {
        f"{form} {precision}": one(precision)
        for precision in PRECISIONS
        for form, one in passes.items()
    }
    return [
        difference(found, f"{FUSED} float32", f"{SOFTMAX} float32"),
        difference(found, f"{FUSED} bfloat16", f"{SOFTMAX} bfloat16"),
        difference(found, f"{FUSED} bfloat16", f"{SOFTMAX} float32"),
        difference(found, f"{SOFTMAX} bfloat16", f"{SOFTMAX} float32"),
    ]


def difference(found: dict[str, tuple[Tensor, Tensor]], one: str, other: str) -> Difference:
    """Return how far two passes are apart."""
    figures = [
        figure
        for mine, its in zip(found[one], found[other], strict=True)
        for figure in ((mine - its).abs().max().item(), its.abs().max().item())
    ]
    return Difference(f"{one} − {other}", *figures)
