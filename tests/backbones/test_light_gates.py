"""ECA, GCT, coordinate attention, triplet attention and SimAM against their formulas.

In double precision. Shapes: B images, C channels, H x W positions, M hidden width.
"""

import math
from collections.abc import Callable
from typing import TypeVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from backbones.attention.coord import Coord
from backbones.attention.eca import ECA
from backbones.attention.gate import AttentionModule
from backbones.attention.gct import GCT
from backbones.attention.simam import SimAM
from backbones.attention.triplet import Triplet
from space import MECHANISMS, Shape
from space.attention.coord import CoordSizes
from space.attention.eca import ECASizes
from space.attention.gct import GCTSizes
from space.attention.simam import SimAMSizes
from space.attention.triplet import TripletSizes

Module = TypeVar("Module", bound=AttentionModule)
CHANNELS, HEIGHT, WIDTH = 8, 5, 6
BUILT: dict[str, Callable[[], AttentionModule]] = {
    "eca": lambda: ECA(CHANNELS, ECASizes(3)),
    "gct-l2": lambda: GCT(CHANNELS, GCTSizes("l2")),
    "gct-l1": lambda: GCT(CHANNELS, GCTSizes("l1")),
    "coord": lambda: Coord(CHANNELS, CoordSizes(4)),
    "triplet": lambda: Triplet(CHANNELS, TripletSizes(3)),
    "simam": lambda: SimAM(CHANNELS, SimAMSizes(1e-4)),
}
every_module = pytest.mark.parametrize("name", BUILT)


def images(height: int = HEIGHT, width: int = WIDTH, number: int = 3) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(number, CHANNELS, height, width, dtype=torch.float64) + 0.2


def opened(module: Module) -> Module:
    """Return the module in double precision, every parameter away from where it starts."""
    torch.manual_seed(1)
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module.double().eval()


def normalised(norm: nn.BatchNorm2d, x_BCHW: Tensor) -> Tensor:
    """Return what the norm gives in evaluation before its statistics move: mean 0, variance 1."""
    size = (1, -1, 1, 1)
    return norm.weight.view(size) * x_BCHW / math.sqrt(1 + 1e-5) + norm.bias.view(size)


@pytest.mark.parametrize("kernel", [3, 5])
def test_eca_follows_its_formula(kernel: int) -> None:
    x_BCHW, module = images(), opened(ECA(CHANNELS, ECASizes(kernel)))
    reach, weight_K = kernel // 2, module.conv.weight.flatten()
    mean_BC = x_BCHW.sum(dim=(2, 3)) / (HEIGHT * WIDTH)
    for channel in range(CHANNELS):
        near = range(max(0, channel - reach), min(CHANNELS, channel + reach + 1))
        terms = [weight_K[one - channel + reach] * mean_BC[:, one] for one in near]
        gate_B = torch.sigmoid(torch.stack(terms).sum(dim=0))
        expected_BHW = x_BCHW[:, channel] * gate_B[:, None, None]
        torch.testing.assert_close(module(x_BCHW)[:, channel], expected_BHW)


@pytest.mark.parametrize(
    ("channels", "kernel"),  # |(log2 C + 1)/2|, odd, as the paper gives it; at least 3
    [(4, 3), (16, 3), (32, 3), (64, 3), (100, 3), (128, 5), (256, 5), (512, 5), (2048, 7)],
)
def test_the_kernel_of_eca_grows_with_the_logarithm_of_the_channels(
    channels: int, kernel: int
) -> None:
    sizes = MECHANISMS["eca"].model_validate({}).sizes(Shape(channels, 8, 8))
    whole = int((math.log2(channels) + 1) / 2)
    assert sizes == ECASizes(kernel)
    assert kernel == max(3, whole if whole % 2 else whole + 1)


@pytest.mark.parametrize("kernel", [4, 11, "3", "wide", True, 3.0])
def test_another_kernel_of_eca_is_refused(kernel: object) -> None:
    with pytest.raises(ValueError, match="kernel"):
        MECHANISMS["eca"].model_validate({"kernel": kernel})


def test_eca_is_not_proposed_where_its_kernel_exceeds_the_channels() -> None:
    mechanism = MECHANISMS["eca"].model_validate({"kernel": 9})
    assert mechanism.reason_unproposed(Shape(9, 1, 1)) is None
    expected = "kernel must be at most the number of channels 8, got 9"
    assert mechanism.reason_unproposed(Shape(8, 1, 1)) == expected


@pytest.mark.parametrize("norm", ["l2", "l1"])
def test_gct_follows_its_formula(norm: str) -> None:
    x_BCHW, module = images(), opened(GCT(CHANNELS, GCTSizes(norm)))
    alpha_C, gamma_C, beta_C = (p.flatten() for p in (module.alpha, module.gamma, module.beta))
    if norm == "l2":
        score_BC = alpha_C * ((x_BCHW**2).sum(dim=(2, 3)) + 1e-5) ** 0.5
        size_B = ((score_BC**2).sum(dim=1) / CHANNELS + 1e-5) ** 0.5
    else:
        score_BC = alpha_C * x_BCHW.abs().sum(dim=(2, 3))
        size_B = score_BC.abs().sum(dim=1) / CHANNELS + 1e-5
    gate_BC = 1 + torch.tanh(gamma_C * score_BC / size_B[:, None] + beta_C)
    torch.testing.assert_close(module(x_BCHW), x_BCHW * gate_BC[:, :, None, None])


@pytest.mark.parametrize("norm", ["l2", "l1"])
@pytest.mark.parametrize("training", [True, False])
def test_gct_starts_as_the_identity(norm: str, training: bool) -> None:
    x_BCHW, module = images(), GCT(CHANNELS, GCTSizes(norm)).double().train(training)
    assert torch.equal(module(x_BCHW), x_BCHW)


@pytest.mark.parametrize("norm", ["l2", "l1"])
def test_gct_is_finite_where_a_map_is_zero(norm: str) -> None:
    x_BCHW, module = torch.zeros_like(images()).requires_grad_(), GCT(CHANNELS, GCTSizes(norm))
    module.double()(x_BCHW).sum().backward()
    for gradient in (x_BCHW.grad, *(one.grad for one in module.parameters())):
        assert gradient is not None
        assert gradient.isfinite().all()


def test_coord_follows_its_formula() -> None:
    x_BCHW, module = images(), opened(Coord(CHANNELS, CoordSizes(4)))

    def hidden(mean_BCL: Tensor) -> Tensor:
        projected_BML = module.shared.weight.flatten(1) @ mean_BCL
        assert module.shared.bias is not None
        projected_BML = projected_BML + module.shared.bias[:, None]
        normed_BML = normalised(module.norm, projected_BML[..., None])[..., 0]
        return normed_BML * (normed_BML + 3).clamp(0, 6) / 6

    def gate(conv: nn.Conv2d, hidden_BML: Tensor) -> Tensor:
        assert conv.bias is not None
        return torch.sigmoid(conv.weight.flatten(1) @ hidden_BML + conv.bias[:, None])

    row_BCH = gate(module.row, hidden(x_BCHW.sum(dim=3) / WIDTH))
    column_BCW = gate(module.column, hidden(x_BCHW.sum(dim=2) / HEIGHT))
    expected_BCHW = x_BCHW * row_BCH[:, :, :, None] * column_BCW[:, :, None, :]
    torch.testing.assert_close(module(x_BCHW), expected_BCHW)


def test_rows_and_columns_of_coord_share_the_statistics_of_one_norm() -> None:
    x_BCHW, module = images(), opened(Coord(CHANNELS, CoordSizes(4))).train()
    module.norm.momentum = None  # the running mean becomes that of the first batch
    module(x_BCHW)
    both_BCL = torch.cat((x_BCHW.mean(dim=3), x_BCHW.mean(dim=2)), dim=2)
    assert module.shared.bias is not None
    hidden_BML = module.shared.weight.flatten(1) @ both_BCL + module.shared.bias[:, None]
    torch.testing.assert_close(module.norm.running_mean, hidden_BML.mean(dim=(0, 2)))


def test_triplet_is_the_mean_of_three_gated_copies() -> None:
    x_BCHW, module = images(), opened(Triplet(CHANNELS, TripletSizes(3)))
    copies = []
    for pooled, plane in (
        (1, module.height_width),
        (2, module.channel_width),
        (3, module.channel_height),
    ):
        last_BYXP = x_BCHW.movedim(pooled, 3)
        zpool_B2YX = torch.stack((last_BYXP.amax(dim=3), last_BYXP.mean(dim=3)), dim=1)
        scores_B1YX = functional.conv2d(zpool_B2YX, plane.conv.weight, padding=1)
        gate_BYX = torch.sigmoid(normalised(plane.norm, scores_B1YX))[:, 0]
        copies.append((last_BYXP * gate_BYX[..., None]).movedim(3, pooled))
    torch.testing.assert_close(module(x_BCHW), sum(copies) / 3)


def test_the_planes_of_triplet_have_the_sides_of_their_names() -> None:
    gates = Triplet(CHANNELS, TripletSizes(7)).double().gates(images())
    assert {name: gate.values.shape[2:] for name, gate in gates.items()} == {
        "height_width": (HEIGHT, WIDTH),
        "channel_width": (CHANNELS, WIDTH),
        "channel_height": (CHANNELS, HEIGHT),
    }


def test_the_norms_of_triplet_have_the_authors_numbers() -> None:
    module = Triplet(CHANNELS, TripletSizes(7))
    for plane in (module.height_width, module.channel_width, module.channel_height):
        assert (plane.norm.eps, plane.norm.momentum, plane.conv.bias) == (1e-5, 0.01, None)


@pytest.mark.parametrize("regulariser", [1e-4, 1e-1])
@pytest.mark.parametrize(("height", "width"), [(HEIGHT, WIDTH), (1, 2)])
def test_simam_follows_its_formula(regulariser: float, height: int, width: int) -> None:
    x_BCHW, module = images(height, width), SimAM(CHANNELS, SimAMSizes(regulariser))
    mean_BC11 = x_BCHW.mean(dim=(2, 3), keepdim=True)
    variance_BC11 = x_BCHW.var(dim=(2, 3), keepdim=True)  # over N − 1
    least_energy_BCHW = (4 * (variance_BC11 + regulariser)) / (
        (x_BCHW - mean_BC11) ** 2 + 2 * variance_BC11 + 2 * regulariser
    )  # eq. 5 of the paper
    torch.testing.assert_close(module(x_BCHW), x_BCHW * torch.sigmoid(1 / least_energy_BCHW))


def test_simam_passes_about_two_thirds() -> None:
    gate_BCHW = SimAM(CHANNELS, SimAMSizes(1e-4)).gate(images())
    assert gate_BCHW.min() >= 1 / (1 + math.exp(-0.5))
    assert (gate_BCHW.mean(dim=(2, 3)) <= 1 / (1 + math.exp(-0.75))).all()


def test_simam_needs_two_positions() -> None:
    mechanism = MECHANISMS["simam"].model_validate({})
    assert mechanism.reason_invalid(Shape(8, 1, 2)) is None
    assert mechanism.reason_invalid(Shape(8, 1, 1)) == (
        "regulariser needs a map of at least 2 positions, got 1x1"
    )


@every_module
def test_a_light_module_shows_what_it_multiplies_by(name: str) -> None:
    x_BCHW, module = images(), opened(BUILT[name]())
    gates = list(module.gates(x_BCHW).values())
    for gate in gates:
        least, most = (1 / (1 + math.exp(-0.5)), 1.0) if name == "simam" else gate.limits or (1, 0)
        assert least < gate.values.min()
        assert gate.values.max() < most
    if len(gates) == 1:
        assert torch.equal(module(x_BCHW), x_BCHW * gates[0].values)


@pytest.mark.parametrize("name", [name for name in BUILT if name != "simam"])
def test_one_image_of_one_position_trains(name: str) -> None:
    module = opened(BUILT[name]()).train()
    assert module(images(1, 1, number=1)).isfinite().all()


@every_module
@pytest.mark.parametrize(("height", "width"), [(1, 5), (3, 1)])
def test_one_image_trains(name: str, height: int, width: int) -> None:
    module = opened(BUILT[name]()).train()
    assert module(images(height, width, number=1)).isfinite().all()


@every_module
def test_half_precision_stays_half(name: str) -> None:
    module, x_BCHW = opened(BUILT[name]()).float(), images().bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        assert module(x_BCHW).dtype == torch.bfloat16
