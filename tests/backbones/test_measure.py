"""The counter: exact, silent, and loud about what it does not know."""

import logging
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from backbones import build, measure, refuse_difference
from space import Placement, Shape, plain

SHAPE = Shape(4, 6, 5)


class Calls(nn.Module):
    """A module that is one function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Doubled(torch.autograd.Function):
    """A product that the trace cannot look into."""

    @staticmethod
    def forward(
        ctx: object,  # noqa: ARG004 - the signature is torch's
        x: Tensor,
    ) -> Tensor:
        return x @ x.transpose(2, 3)

    @staticmethod
    def backward(
        ctx: object,  # noqa: ARG004
        gradient: Tensor,
    ) -> Tensor:
        return gradient


def doubled(x: Tensor) -> Tensor:
    found: Tensor = Doubled.apply(x)
    return found


def self_attention(x: Tensor) -> Tensor:
    return functional.scaled_dot_product_attention(x, x, x)


def cumsum(x: Tensor) -> Tensor:
    return torch.cumsum(x, dim=1)


def einsum(x: Tensor) -> Tensor:
    return torch.einsum("bchw,bdhw->bcd", x, x)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (doubled, "prim::PythonOp.Doubled"),
        (einsum, "aten::einsum"),
        (cumsum, "aten::cumsum"),
    ],
)
def test_an_operator_without_a_rule_is_refused_by_name(
    function: Callable[[Tensor], Tensor], name: str
) -> None:
    with pytest.raises(RuntimeError, match=rf"needs a counting rule .*, got {name}$"):
        measure(Calls(function), SHAPE)


@pytest.mark.parametrize(
    "module",
    [
        nn.BatchNorm2d(4),
        nn.AdaptiveAvgPool2d(1),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Sigmoid(),
        nn.Softmax(dim=1),
    ],
    ids=lambda module: type(module).__name__,
)
def test_norms_pooling_and_elementwise_work_count_nothing(module: nn.Module) -> None:
    assert measure(module, SHAPE).macs == 0
    assert measure(module.train(), SHAPE).macs == 0


def test_convolutions_linear_layers_and_products_count_every_multiplication() -> None:
    grouped = nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2)
    assert measure(grouped, SHAPE).macs == 8 * (4 // 2) * 9 * (3 * 3)
    assert measure(nn.Linear(5, 7), SHAPE).macs == 4 * 6 * 5 * 7
    fused = Calls(self_attention)
    plain = Calls(lambda x: (x @ x.transpose(2, 3)).softmax(dim=-1) @ x)
    assert measure(fused, SHAPE).macs == measure(plain, SHAPE).macs == 4 * (6 * 6 * 5) * 2
    product = Calls(lambda x: x @ x.transpose(2, 3))
    assert measure(product, SHAPE).macs == 4 * 6 * 6 * 5


def test_a_product_with_one_operand_for_all_channels_counts_each_channel() -> None:
    weight = torch.ones(3, 6)
    assert measure(Calls(lambda x: weight @ x), SHAPE).macs == 4 * 3 * 6 * 5


def test_counts_add_up_by_module() -> None:
    by_module = measure(build(plain("resnet20"))).by_module
    assert by_module["stem.conv"] == by_module["stem"] == 27 * 16 * 1024
    assert by_module["head.linear"] == 640
    stages = [by_module[f"stage{number}"] for number in (1, 2, 3)]
    assert by_module[""] == by_module["stem"] + sum(stages) + by_module["head"]


def test_a_module_comes_back_as_it_was() -> None:
    model = build(plain("resnet8")).train()
    frozen = model.get_submodule("stage1").eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    measure(model)
    assert model.training
    assert not any(module.training for module in frozen.modules())
    assert model.get_submodule("stage2.block1.norm1").training
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_measuring_an_architecture_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    measure(plain("resnet8"))
    assert torch.equal(torch.get_rng_state(), before)


def test_measuring_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        measure(build(plain("resnet8")))
    assert not caplog.records


def test_a_network_that_is_not_its_architecture_is_refused_with_both_numbers() -> None:
    refuse_difference(plain("resnet8"), build(plain("resnet8")))
    with pytest.raises(
        RuntimeError, match=r"macs .* closed form 12,239,488, got 26,395,264; one of the two"
    ):
        refuse_difference(plain("resnet8"), build(plain("resnet14")))


def test_parameters_are_compared_even_where_no_multiplication_differs() -> None:
    architecture = plain("resnet8")
    model = build(architecture)
    model.get_submodule("stage1.end").register_parameter("gain", nn.Parameter(torch.ones(())))
    with pytest.raises(RuntimeError, match=r"params .* closed form 75,290, got 75,291; one"):
        refuse_difference(architecture, model)


def test_a_placement_counts_in_its_own_name() -> None:
    placement = Placement.model_validate({"attention": {"kind": "se"}, "position": "residual"})
    architecture = plain("resnet8").model_copy(update={"stages": ((placement,), (), ())})
    assert measure(architecture).by_module["stage1.block1.residual.0"] == 2 * 16 * 4
