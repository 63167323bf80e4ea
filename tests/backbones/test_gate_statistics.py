"""Statistics of gates made by hand against their formulas.

Shapes: B images, C channels, H x W positions, Q queries, K keys.
"""

import gc
import json
import math
from collections.abc import Callable, Iterator
from math import inf, nan

import pytest
import torch
from torch import Tensor, nn

from backbones import GateStatistics, as_plain, gate_statistics, reason_dead
from backbones.attention import AttentionModule, Gate
from backbones.attention.criss_cross import CrissCross
from backbones.attention.gate import rows, scalar, tensor, vector
from space import Refusal
from space.attention.criss_cross import CrissCrossSizes


class Made(AttentionModule):
    """One gate, made of the images, and a factor on them."""

    def __init__(self, made: Callable[[Tensor], Gate], factor: float = 1.5) -> None:
        super().__init__()
        self.made = made
        self.factor = factor

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.factor * x_BCHW

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        return {"gate": self.made(x_BCHW)}


def numbered(first: int = 0, end: int = 8) -> Tensor:
    """Return images of one pixel that holds the image's number."""
    return torch.arange(first, end, dtype=torch.float64)[:, None, None, None]


def random_images(number: int = 8, channels: int = 2, side: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(number, channels, side, side, generator=generator, dtype=torch.float64)


def of_gate(made: Callable[[Tensor], Gate], *batches: Tensor) -> GateStatistics:
    return gate_statistics(Made(made), batches or [numbered()])[""].gates["gate"]


def same_for_all(values_Q: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x_BCHW: values_Q.expand(len(x_BCHW), *values_Q.shape)


def test_the_mean_is_over_everything_and_the_spread_over_images() -> None:
    """Of two channels one is 0.25 and 0.75 in turn, the other always 0.5."""

    def made(x_BCHW: Tensor) -> Gate:
        turn_B111 = 0.25 + 0.5 * (x_BCHW % 2)
        return vector(torch.cat((turn_B111, torch.full_like(turn_B111, 0.5)), dim=1))

    found = of_gate(made)
    assert found.mean == pytest.approx(0.5)
    assert found.spread == pytest.approx((0.25 + 0) / 2)


def test_the_spread_survives_a_large_mean() -> None:
    found = of_gate(lambda x_BCHW: vector(1e9 + (x_BCHW % 2), limits=None))
    assert found.spread == pytest.approx(0.5, rel=1e-6)


def test_one_image_alone_has_no_spread() -> None:
    assert of_gate(tensor, numbered(1, 2)).spread is None


@pytest.mark.parametrize("limits", [(0.0, 1.0), (1.0, 2.0), (0.0, 2.0), (0.5, 1.0)])
def test_saturation_and_histogram_lie_between_the_limits(limits: tuple[float, float]) -> None:
    low, high = limits
    middles_C = low + (high - low) * (torch.arange(20) + 0.5) / 20
    made = same_for_all(middles_C[:, None, None])
    found = of_gate(lambda x_BCHW: vector(made(x_BCHW), limits))
    assert found.histogram == pytest.approx([1 / 20] * 20)
    assert found.saturation == pytest.approx(2 / 20)
    assert found.spread == pytest.approx(0, abs=1e-12)


def test_without_limits_the_histogram_is_from_0_to_2_with_open_ends() -> None:
    made = same_for_all(torch.tensor([-7.0, 0.04, 1.01, 99.0])[:, None, None])
    found = of_gate(lambda x_BCHW: vector(made(x_BCHW), limits=None))
    assert found.histogram == (0.5, *[0.0] * 9, 0.25, *[0.0] * 8, 0.25)
    assert (found.saturation, found.entropy, found.diagonal) == (None, None, None)


@pytest.mark.parametrize(
    ("weights_QK", "entropy", "diagonal"),
    [
        (torch.full((4, 4), 0.25), 1.0, 0.25),
        (torch.eye(4), 0.0, 1.0),
        (torch.eye(2).repeat(2, 2) / 2, math.log(2) / math.log(4), 0.5),
        (torch.full((2, 4), 0.25), 1.0, None),
        (torch.ones(4, 1), None, None),  # one key alone: there is nothing to choose
        (torch.ones(1, 1), None, 1.0),
    ],
)
def test_entropy_is_relative_and_the_diagonal_is_what_is_taken_from_itself(
    weights_QK: Tensor, entropy: float | None, diagonal: float | None
) -> None:
    made = same_for_all(weights_QK)
    found = of_gate(lambda x_BCHW: rows(made(x_BCHW)))
    assert found.entropy == (None if entropy is None else pytest.approx(entropy, abs=1e-12))
    assert found.diagonal == (None if diagonal is None else pytest.approx(diagonal))
    assert found.saturation is None


def test_free_rows_have_a_diagonal_and_no_entropy() -> None:
    made = same_for_all(torch.eye(3) * -2)
    found = of_gate(lambda x_BCHW: rows(made(x_BCHW), limits=None))
    assert (found.entropy, found.diagonal) == (None, -2.0)


def test_equal_weights_of_criss_cross_are_uniform_although_one_entry_is_always_0() -> None:
    module = CrissCross(4, CrissCrossSizes(2, 1))
    nn.init.zeros_(module.query.weight)
    assert module.query.bias is not None
    nn.init.zeros_(module.query.bias)
    x_BCHW = torch.randn(2, 4, 3, 5)
    found = gate_statistics(module, [x_BCHW])[""].gates["pass1"]
    assert found.entropy == pytest.approx(1)
    assert found.diagonal == pytest.approx(1 / (3 + 5 - 1))


def test_a_scalar_has_a_mean_only() -> None:
    found = of_gate(lambda _: scalar(torch.tensor(0.375)), numbered(0, 1), numbered(1, 8))
    assert found == GateStatistics("scalar", 0.375)


@pytest.mark.parametrize("sizes", [(8,), (3, 5), (1,) * 8, (7, 0, 1)])
def test_batches_of_any_size_give_the_same(sizes: tuple[int, ...]) -> None:
    x_BCHW = random_images()
    for made in (tensor, lambda x_BCHW: rows(attention(x_BCHW))):
        values_BE = made(x_BCHW).values
        found = of_gate(made, *x_BCHW.split(sizes))
        assert found.mean == pytest.approx(float(values_BE.mean()))
        assert found.spread == pytest.approx(float(values_BE.std(dim=0, correction=0).mean()))
        counts = [int(((values_BE * 20).floor() == place).sum()) for place in range(20)]
        assert found.histogram == pytest.approx([count / values_BE.numel() for count in counts])
        if found.form == "rows":
            entropy_BQ = -(values_BE * values_BE.log()).sum(dim=-1) / math.log(9)
            own_BQ = values_BE.diagonal(dim1=1, dim2=2)
            assert found.entropy == pytest.approx(float(entropy_BQ.mean()))
            assert found.diagonal == pytest.approx(float(own_BQ.mean()))
        else:
            outside = (values_BE < 0.05) | (values_BE > 0.95)
            assert found.saturation == pytest.approx(float(outside.double().mean()))


def attention(x_BCHW: Tensor) -> Tensor:
    return (x_BCHW.flatten(2).transpose(1, 2) @ x_BCHW.flatten(2)).softmax(dim=-1)


@pytest.mark.parametrize("factor", [1.0, 0.5, -1.0, 1.001])
def test_the_gain_is_the_size_of_the_change_over_that_of_the_input(factor: float) -> None:
    batches = [random_images(3), 100 * random_images(5)]
    found = gate_statistics(Made(tensor, factor), batches)[""]
    assert found.gain == pytest.approx(abs(factor - 1))


def test_the_gain_is_over_all_images_together() -> None:
    """Rms of both together: √((1·0 + 9·4)/(1 + 9)), not the mean of 0 and 2."""

    class Triples(Made):
        def forward(self, x_BCHW: Tensor) -> Tensor:
            return torch.where(x_BCHW > 2, 3 * x_BCHW, x_BCHW)

    batches = [torch.ones(1, 1, 2, 2), torch.full((1, 1, 2, 2), 3.0)]
    assert gate_statistics(Triples(tensor), batches)[""].gain == pytest.approx((36 / 10) ** 0.5)


def test_an_input_of_zeros_that_stays_is_no_change() -> None:
    assert gate_statistics(Made(tensor), [torch.zeros(2, 1, 2, 2)])[""].gain == 0


def test_an_output_that_is_not_finite_has_no_gain() -> None:
    assert math.isnan(gate_statistics(Made(tensor, inf), [numbered(1, 3)])[""].gain)


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_a_value_that_is_not_finite_shows_in_every_statistic(value: float) -> None:
    x_BCHW = random_images()
    x_BCHW[3, 0, 1, 1] = value
    found = gate_statistics(Made(tensor), [x_BCHW[:4], x_BCHW[4:]])[""]
    gate = found.gates["gate"]
    for one in (found.gain, gate.mean, gate.spread, gate.saturation, *(gate.histogram or ())):
        assert one is not None
        assert math.isnan(one)
    assert reason_dead(found) == "what it computes is not finite"
    assert json.loads(json.dumps(as_plain({"a": found}), allow_nan=False))["a"] == {
        "gain": None,
        "gates": {
            "gate": {"form": "tensor", "mean": None, "spread": None, "saturation": None}
            | {"histogram": [None] * 20}
        },
    }


def test_no_image_at_all_is_refused() -> None:
    with pytest.raises(Refusal, match="at least 1 image, got 0"):
        gate_statistics(Made(tensor), [])


def test_images_of_two_sizes_are_refused_where_the_gate_has_their_size() -> None:
    with pytest.raises(Refusal, match="2x3x3 and 2x4x4"):
        gate_statistics(Made(tensor), [random_images(), random_images(side=4)])


def test_what_is_held_does_not_grow_with_the_batches() -> None:
    held: list[int] = []

    def batches() -> Iterator[Tensor]:
        for _ in range(6):
            gc.collect()
            held.append(sum(one.numel() for one in gc.get_objects() if type(one) is Tensor))
            yield random_images(64, side=8)

    model = nn.Sequential(Made(tensor), Made(lambda x_BCHW: rows(attention(x_BCHW))))
    gate_statistics(model, batches())
    first, *later = held
    # The last batch and its output; of each gate one image's mean and squares, and 20 counts.
    assert later[0] - first <= 2 * 64 * 2 * 8 * 8 + 2 * (2 * 8 * 8 + 64 * 64) + 2 * 20 + 100
    assert len(set(later)) == 1
