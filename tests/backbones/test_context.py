"""BAM, GC, double attention and LKA against their formulas, in double precision.

Shapes: B images, C channels, H x W positions, N = H·W of them, M hidden width or maps.
"""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from backbones.attention import BUILDERS
from backbones.attention.bam import BAM
from backbones.attention.double import Double
from backbones.attention.gc import GC
from backbones.attention.lka import LKA
from space import MECHANISMS, Shape
from space.attention.bam import BAMSizes
from space.attention.double import DoubleSizes
from space.attention.gc import GCSizes
from space.attention.lka import LKASizes

HEIGHT, WIDTH, CHANNELS, HIDDEN = 4, 6, 8, 4
MAPS = [(4, 6), (5, 3), (1, 4), (3, 1), (1, 1)]


def images(height: int = HEIGHT, width: int = WIDTH, number: int = 2) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(number, CHANNELS, height, width, dtype=torch.float64) + 0.2


def drawn(module: nn.Module) -> nn.Module:
    """Draw every parameter anew, so that no gain is 0 and no norm's scale 1."""
    torch.manual_seed(1)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    return module.double().eval()


def near(y: Tensor, expected: Tensor) -> None:
    """Compare with room for the weights, which are computed in single precision."""
    torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-5)


def pointwise(conv: nn.Module, x_BCHW: Tensor) -> Tensor:
    """Return W·x + b at every position."""
    assert isinstance(conv, nn.Conv2d)
    y_BCN = conv.weight.flatten(1) @ x_BCHW.flatten(2)
    if conv.bias is not None:
        y_BCN = y_BCN + conv.bias[:, None]
    return y_BCN.reshape(len(x_BCHW), -1, *x_BCHW.shape[2:])


def summed_taps(conv: nn.Module, x_BCHW: Tensor, dilation: int = 1) -> Tensor:
    """Return a convolution of one or all groups as a sum over its taps, 0 beyond the map."""
    assert isinstance(conv, nn.Conv2d)
    assert conv.bias is not None
    height, width = x_BCHW.shape[2:]
    side = conv.weight.shape[-1]
    margin = dilation * (side // 2)
    padded_BCHW = functional.pad(x_BCHW, (margin,) * 4)
    y_BCHW = conv.bias[:, None, None].expand(len(x_BCHW), -1, height, width)
    for i in range(side):
        for j in range(side):
            top, left = i * dilation, j * dilation
            seen_BCHW = padded_BCHW[:, :, top : top + height, left : left + width]
            tap_CC = conv.weight[:, :, i, j]
            if conv.groups == 1:
                y_BCHW = y_BCHW + (tap_CC @ seen_BCHW.flatten(2)).reshape(y_BCHW.shape)
            else:
                y_BCHW = y_BCHW + tap_CC[:, 0, None, None] * seen_BCHW
    return y_BCHW


def normed(norm: nn.Module, x_BCHW: Tensor) -> Tensor:
    """Return a norm that has seen nothing yet, and ReLU: it divides by sqrt(1 + eps)."""
    assert isinstance(norm, nn.BatchNorm2d)
    scale_C11, shift_C11 = norm.weight[:, None, None], norm.bias[:, None, None]
    return (x_BCHW / math.sqrt(1 + 1e-5) * scale_C11 + shift_C11).clamp(min=0)


def bam(dilation: int = 2) -> BAM:
    module = drawn(BAM(CHANNELS, BAMSizes(HIDDEN, dilation)))
    assert isinstance(module, BAM)
    return module


@pytest.mark.parametrize("dilation", [1, 2, 4])
@pytest.mark.parametrize(("height", "width"), MAPS)
def test_bam_follows_its_formula(height: int, width: int, dilation: int) -> None:
    x_BCHW, module = images(height, width), bam(dilation)
    channel, spatial = module.channel, module.spatial
    mean_BC11 = x_BCHW.sum(dim=(2, 3), keepdim=True) / (height * width)
    channel_BC11 = pointwise(channel[3], normed(channel[1], pointwise(channel[0], mean_BC11)))
    hidden_BMHW = normed(spatial[1], pointwise(spatial[0], x_BCHW))
    for at in (3, 6):
        hidden_BMHW = normed(spatial[at + 1], summed_taps(spatial[at], hidden_BMHW, dilation))
    logits_BCHW = channel_BC11 + pointwise(spatial[9], hidden_BMHW)
    gate_BCHW = 1 + 1 / (1 + (-logits_BCHW).exp())
    torch.testing.assert_close(module(x_BCHW), x_BCHW * gate_BCHW)


def test_bam_starts_with_gates_around_one_and_a_half() -> None:
    torch.manual_seed(0)
    gate_BCHW = BAM(64, BAMSizes(HIDDEN, 2)).gate(torch.randn(8, 64, 8, 8))
    assert gate_BCHW.mean().item() == pytest.approx(1.5, abs=0.1)
    assert 1 < gate_BCHW.min() < gate_BCHW.max() < 2


@pytest.mark.parametrize(("height", "width"), MAPS)
def test_bam_trains_on_one_image(height: int, width: int) -> None:
    module = bam().train()
    module(images(height, width, number=1)).sum().backward()
    for parameter in module.parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()


def gc() -> GC:
    module = drawn(GC(CHANNELS, GCSizes(HIDDEN)))
    assert isinstance(module, GC)
    return module


@pytest.mark.parametrize(("height", "width"), MAPS)
def test_gc_follows_its_formula(height: int, width: int) -> None:
    x_BCHW, module = images(height, width), gc()
    powers_BN = pointwise(module.key, x_BCHW).flatten(1).exp()
    share_BN = powers_BN / powers_BN.sum(dim=1, keepdim=True)
    context_BC = (x_BCHW.flatten(2) * share_BN[:, None]).sum(dim=2)
    hidden_BM = context_BC @ module.squeeze.weight.T + module.squeeze.bias
    off_BM = hidden_BM - hidden_BM.mean(dim=1, keepdim=True)
    unit_BM = off_BM / (off_BM.square().mean(dim=1, keepdim=True) + 1e-5).sqrt()
    rectified_BM = (unit_BM * module.norm.weight + module.norm.bias).clamp(min=0)
    added_BC = rectified_BM @ module.excite.weight.T + module.excite.bias
    near(module(x_BCHW), x_BCHW + added_BC[:, :, None, None])


@pytest.mark.parametrize("reduction", [4, 8, 16])
@pytest.mark.parametrize("channels", [4, 8, 16, 64])
def test_what_gc_adds_depends_on_the_image_at_every_width(channels: int, reduction: int) -> None:
    shape = Shape(channels, 4, 4)
    sizes = MECHANISMS["gc"].model_validate({"reduction": reduction}).sizes(shape)
    module = drawn(BUILDERS["gc"](channels, sizes))
    assert isinstance(module, GC)
    torch.manual_seed(2)
    added_BC11 = module.added(torch.randn(16, channels, 4, 4, dtype=torch.float64))
    assert (added_BC11.std(dim=0) > 0).all()


def double() -> Double:
    module = drawn(Double(CHANNELS, DoubleSizes(HIDDEN)))
    assert isinstance(module, Double)
    return module


@pytest.mark.parametrize(("height", "width"), MAPS)
def test_double_follows_its_formula(height: int, width: int) -> None:
    x_BCHW, module = images(height, width), double()
    added = []
    for x_1CHW in x_BCHW.split(1):
        a_MN = pointwise(module.value, x_1CHW).flatten(2)[0]
        b_MN, v_MN = (
            pointwise(conv, x_1CHW).flatten(2)[0].exp() for conv in (module.key, module.query)
        )
        gathered_MM = a_MN @ (b_MN / b_MN.sum(dim=1, keepdim=True)).T
        z_MN = gathered_MM @ (v_MN / v_MN.sum(dim=0, keepdim=True))
        added.append(pointwise(module.out, z_MN.reshape(1, HIDDEN, height, width)))
    near(module(x_BCHW), x_BCHW + torch.cat(added))


@pytest.mark.parametrize(("height", "width"), [*MAPS, (2, 2)])  # 2x2: as many positions as maps
def test_double_shares_out_positions_and_maps_but_nothing_to_itself(
    height: int, width: int
) -> None:
    gates, num_positions = double().gates(images(height, width)), height * width
    sizes = {"gathered": (2, HIDDEN, num_positions), "distributed": (2, num_positions, HIDDEN)}
    for name, size in sizes.items():
        assert gates[name].values.shape == size
        torch.testing.assert_close(gates[name].values.sum(dim=-1), torch.ones(size[:-1]))
        assert gates[name].own is None


def lka(dilation: int, channels: int = CHANNELS) -> LKA:
    sizes = MECHANISMS["lka"].model_validate({"dilation": dilation}).sizes(Shape(channels, 8, 8))
    assert isinstance(sizes, LKASizes)
    module = drawn(LKA(channels, sizes))
    assert isinstance(module, LKA)
    return module


@pytest.mark.parametrize("dilation", [2, 3])
@pytest.mark.parametrize(("height", "width"), MAPS)
def test_lka_follows_its_formula(height: int, width: int, dilation: int) -> None:
    x_BCHW, module = images(height, width), lka(dilation)
    local_BCHW = summed_taps(module.local, x_BCHW)
    gate_BCHW = pointwise(module.mix, summed_taps(module.distant, local_BCHW, dilation))
    torch.testing.assert_close(module(x_BCHW), x_BCHW * gate_BCHW)


# (2·d − 1) + d·(k − 1): both kernels in a row, k taps of the dilated one.
@pytest.mark.parametrize(("dilation", "side"), [(2, 3 + 2 * 4), (3, 5 + 3 * 6)])
def test_the_large_kernel_of_lka_is_a_square_without_gaps(dilation: int, side: int) -> None:
    x_BCHW = images(25, 25, number=1).requires_grad_()
    gate_BCHW = lka(dilation).gate(x_BCHW)
    (gradient_BCHW,) = torch.autograd.grad(gate_BCHW[0, :, 12, 12].sum(), x_BCHW)
    seen_HW = gradient_BCHW[0].abs().sum(dim=0) > 0
    expected_HW = torch.zeros(25, 25, dtype=torch.bool)
    half = side // 2
    expected_HW[12 - half : 13 + half, 12 - half : 13 + half] = True
    assert torch.equal(seen_HW, expected_HW)


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5, 8, 9, 10])
def test_a_dilation_is_proposed_where_the_outermost_taps_meet_the_map(side: int) -> None:
    x_BCHW, shape = images(side, side), Shape(CHANNELS, side, side)
    cases: list[tuple[str, int, nn.Module, nn.Module]] = []
    for dilation in (2, 3):
        large = lka(dilation)
        cases.append(("lka", dilation, large, large.distant))
    for dilation in (1, 2, 4):
        both = bam(dilation)
        cases.append(("bam", dilation, both, both.spatial[3]))
    for kind, dilation, module, conv in cases:
        assert isinstance(conv, nn.Conv2d)
        (gradient_CMKK,) = torch.autograd.grad(module(x_BCHW).sum(), conv.weight)
        meets = bool(gradient_CMKK[..., 0, :].any())
        proposed = MECHANISMS[kind].model_validate({"dilation": dilation})
        assert (proposed.reason_unproposed(shape) is None) == meets


@pytest.mark.parametrize("kind", ["gc", "double", "mhsa", "lka"])
@pytest.mark.parametrize("training", [False, True])
def test_it_starts_as_the_identity(kind: str, training: bool) -> None:
    x_BCHW = images().float()
    sizes = MECHANISMS[kind].model_validate({}).sizes(Shape(CHANNELS, HEIGHT, WIDTH))
    module = BUILDERS[kind](CHANNELS, sizes).train(training)
    assert torch.equal(module(x_BCHW), x_BCHW)
