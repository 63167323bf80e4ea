"""bf16 products in fp32 against torch's own bf16 autocast, and where nothing may change."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.rounded import RoundedProducts

pytestmark = pytest.mark.usefixtures("one_thread")
LAST_BIT = 2**-8  # of a bf16 number, relative: it has 8 significant bits
Step = tuple[Tensor, list[Tensor]]


class Tiny(nn.Module):
    """A convolution, a norm, a product of two maps and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.linear = nn.Linear(8, 10)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        y_BCN = torch.relu(self.norm(self.conv(x_BCHW))).flatten(2)
        pairs_BCC = torch.bmm(y_BCN, y_BCN.transpose(1, 2)) / y_BCN.shape[2]
        logits: Tensor = self.linear((pairs_BCC @ y_BCN).mean(dim=2))
        return logits


def one_step(*, rounded: bool) -> Step:
    """Return logits and gradients of a tiny network under CPU autocast."""
    torch.manual_seed(0)
    model, x_BCHW = Tiny(), torch.randn(4, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        if rounded:
            with RoundedProducts():
                logits = model(x_BCHW)
        else:
            logits = model(x_BCHW)
    functional.cross_entropy(logits.float(), torch.arange(4)).backward()
    return logits.detach(), [p.grad for p in model.parameters() if p.grad is not None]


def distance(one: Tensor, other: Tensor) -> float:
    """Return the relative distance of two tensors as vectors."""
    return float((one.double() - other.double()).norm() / other.double().norm())


def test_a_step_is_that_of_torchs_own_autocast_up_to_the_last_bits() -> None:
    (logits, gradients), (its_logits, its_gradients) = (
        one_step(rounded=True),
        one_step(rounded=False),
    )
    assert logits.dtype == its_logits.dtype == torch.bfloat16
    assert distance(logits, its_logits) < 2 * LAST_BIT
    weights = [
        (mine, its) for mine, its in zip(gradients, its_gradients, strict=True) if its.ndim > 1
    ]
    assert max(distance(mine, its) for mine, its in weights) < 8 * LAST_BIT


def test_a_product_of_bf16_numbers_is_exact_until_it_is_rounded_once() -> None:
    left, right = torch.tensor([[1.0, 2.0**-8]]), torch.tensor([[1.0], [1.0]])
    with torch.autocast("cpu", torch.bfloat16), RoundedProducts():
        assert (left @ right).item() == 1.0  # 1 + 2⁻⁸ lies between two bf16 numbers: to even
        assert (left + 1.0).dtype == torch.float32  # no product: as autocast leaves it
    assert (torch.tensor([[1.0 + 2.0**-9]]) @ torch.ones(1, 1)).item() == 1.0 + 2.0**-9


def test_gradients_of_weights_are_rounded_as_the_weights_are() -> None:
    weight = torch.tensor([[1.0]], requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16), RoundedProducts():
        product = torch.tensor([[1.0 + 2.0**-9]]) @ weight
    product.sum().backward()
    assert weight.grad is not None
    assert weight.grad.item() == 1.0  # 1 + 2⁻⁹ is no bf16 number


def test_outside_autocast_nothing_is_rounded() -> None:
    value = torch.tensor([[1.0 + 2.0**-9]])
    with RoundedProducts():
        assert (value @ torch.ones(1, 1)).item() == value.item()
        with torch.autocast("cpu", torch.bfloat16), torch.autocast("cpu", enabled=False):
            assert (value @ torch.ones(1, 1)).item() == value.item()
