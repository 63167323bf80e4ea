"""The gates that a module shows are those that it uses: from them its output can be made again."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backbones.attention import BUILDERS, Gate
from backbones.attention.non_local import positions_first
from space import MECHANISMS, Shape

SHAPE = Shape(16, 6, 5)
FACTORS = ["se", "cbam", "gam", "eca", "gct", "bam", "coord", "simam", "lka"]


def opened(kind: str, **setting: object) -> tuple[Any, Tensor]:
    """Return a module whose every part works, of whatever class the kind has, and images."""
    torch.manual_seed(0)
    sizes = MECHANISMS[kind].model_validate(setting).sizes(SHAPE)
    module = BUILDERS[kind](SHAPE.channels, sizes)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return module.eval(), torch.randn(3, 16, 6, 5)


def near(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def projected(conv: nn.Module, x_BCHW: Tensor) -> Tensor:
    return positions_first(conv(x_BCHW))


def as_map(x_BNC: Tensor, x_BCHW: Tensor) -> Tensor:
    return x_BNC.transpose(1, 2).reshape(x_BNC.shape[0], -1, *x_BCHW.shape[2:])


@pytest.mark.parametrize("kind", FACTORS)
def test_a_gate_multiplies(kind: str) -> None:
    module, x_BCHW = opened(kind)
    expected_BCHW = x_BCHW
    for gate in module.gates(x_BCHW).values():
        expected_BCHW = expected_BCHW * gate.values
    near(module(x_BCHW), expected_BCHW)


def test_triplet_is_the_mean_of_three_gated_copies() -> None:
    module, x_BCHW = opened("triplet", kernel=3)
    gates = {name: gate.values for name, gate in module.gates(x_BCHW).items()}
    by_map = x_BCHW * gates["height_width"]
    by_width = x_BCHW * gates["channel_width"].permute(0, 2, 1, 3)
    by_height = x_BCHW * gates["channel_height"].permute(0, 2, 3, 1)
    near(module(x_BCHW), (by_map + by_width + by_height) / 3)


@pytest.mark.parametrize("pairwise", MECHANISMS["non_local"].searched["pairwise"])
@pytest.mark.parametrize("sub_sample", [False, True])
def test_non_local_takes_by_its_pairs(pairwise: str, sub_sample: bool) -> None:
    module, x_BCHW = opened("non_local", pairwise=pairwise, sub_sample=sub_sample)
    weights = module.gates(x_BCHW)["pairs"].values
    value = projected(module.value, nn.MaxPool2d(2)(x_BCHW) if sub_sample else x_BCHW)
    near(module(x_BCHW), x_BCHW + module.norm(module.out(as_map(weights @ value, x_BCHW))))


def test_dual_takes_by_both_of_its_rows() -> None:
    module, x_BCHW = opened("dual")
    gates: dict[str, Gate] = module.gates(x_BCHW)
    value = projected(module.position.value, x_BCHW)
    by_position = as_map(gates["position"].values @ value, x_BCHW)
    by_channel = (gates["channel"].values @ x_BCHW.flatten(2)).reshape(x_BCHW.shape)
    taken = gates["alpha"].values * by_position + gates["beta"].values * by_channel
    near(module(x_BCHW), x_BCHW + taken)


def test_criss_cross_takes_by_each_pass() -> None:
    module, x_BCHW = opened("criss_cross")
    gates, y_BCHW = module.gates(x_BCHW), x_BCHW
    for number in (1, 2):
        column, row = gates[f"pass{number}"].values.split([6, 5], dim=-1)
        value = module.value(y_BCHW)
        from_column = torch.einsum("bhwi,bciw->bchw", column, value)
        from_row = torch.einsum("bhwj,bchj->bchw", row, value)
        y_BCHW = y_BCHW + gates["gamma"].values * (from_column + from_row)
    near(module(x_BCHW), y_BCHW)


def test_gc_adds_the_vector_that_it_shows() -> None:
    module, x_BCHW = opened("gc")
    near(module(x_BCHW), x_BCHW + module.gates(x_BCHW)["added"].values)


def test_double_gathers_and_distributes_by_its_rows() -> None:
    module, x_BCHW = opened("double")
    gates = module.gates(x_BCHW)
    gathered = gates["gathered"].values @ projected(module.value, x_BCHW)
    taken = gates["distributed"].values @ gathered
    near(module(x_BCHW), x_BCHW + module.out(as_map(taken, x_BCHW)))


def test_the_heads_of_mhsa_take_by_their_rows() -> None:
    module, x_BCHW = opened("mhsa")
    weights = module.gates(x_BCHW)["heads"].values
    value = module.by_head(module.value, x_BCHW)
    near(module(x_BCHW), x_BCHW + (weights @ value).transpose(2, 3).reshape(x_BCHW.shape))


def test_every_kind_is_made_again_from_its_gates() -> None:
    others = {"triplet", "non_local", "dual", "criss_cross", "gc", "double", "mhsa"}
    assert {*FACTORS, *others} == set(MECHANISMS)
