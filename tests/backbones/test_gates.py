"""SE, CBAM and GAM against their formulas, in double precision."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from backbones.attention.cbam import CBAM
from backbones.attention.gam import GAM
from backbones.attention.se import SE
from space.attention.cbam import CBAMSizes
from space.attention.gam import GAMSizes
from space.attention.se import SESizes

VARIANTS = ["full", "grouped", "factorised", "depthwise"]


def images(channels: int = 8) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(3, channels, 5, 6, dtype=torch.float64) + 0.2


def gam(variant: str, channels: int = 8) -> GAM:
    groups = 2 if variant == "grouped" else 1
    return GAM(channels, GAMSizes(4, variant, 3, groups)).double().eval()


def test_se_follows_its_formula() -> None:
    x_BCHW, module = images(), SE(8, SESizes(4, bias=True)).double()
    mean_BC = x_BCHW.sum(dim=(2, 3)) / 30
    hidden_BM = (mean_BC @ module.squeeze.weight.T + module.squeeze.bias).clamp(min=0)
    gate_BC = 1 / (1 + (-(hidden_BM @ module.excite.weight.T + module.excite.bias)).exp())
    torch.testing.assert_close(module(x_BCHW), x_BCHW * gate_BC[:, :, None, None])


@pytest.mark.parametrize("channels", [4, 8, 16, 64, 512])
def test_the_gate_of_se_depends_on_its_input_at_every_width(channels: int) -> None:
    torch.manual_seed(0)
    module = SE(channels, SESizes(max(4, channels // 16), bias=True))
    gate_BC11 = module.gate(torch.randn(16, channels, 2, 2) * 5)
    assert (gate_BC11.std(dim=0) > 0).all()


def cbam() -> CBAM:
    return CBAM(8, CBAMSizes(4, bias=True, kernel=3)).double().eval()


def test_cbam_follows_its_formula() -> None:
    x_BCHW, module = images(), cbam()
    nn.init.constant_(module.spatial.norm.weight, 1.5)
    mlp = nn.Sequential(module.channel.squeeze, nn.ReLU(), module.channel.excite)
    largest_BC = x_BCHW.amax(dim=(2, 3))
    channel_BC = torch.sigmoid(mlp(x_BCHW.mean(dim=(2, 3))) + mlp(largest_BC))
    gated_BCHW = x_BCHW * channel_BC[:, :, None, None]
    pooled_B2HW = torch.cat(
        (gated_BCHW.amax(dim=1, keepdim=True), gated_BCHW.mean(dim=1, keepdim=True)), dim=1
    )
    scores_B1HW = functional.conv2d(pooled_B2HW, module.spatial.conv.weight, padding=1)
    # A norm at its start, in evaluation mode, divides by sqrt(1 + eps).
    gate_B1HW = torch.sigmoid(1.5 * scores_B1HW / (1 + 1e-5) ** 0.5)
    torch.testing.assert_close(module(x_BCHW), gated_BCHW * gate_B1HW)


def test_the_spatial_gate_of_cbam_starts_at_a_half() -> None:
    gate_B1HW = cbam().train().spatial(images())
    assert torch.equal(gate_B1HW, torch.full((3, 1, 5, 6), 0.5, dtype=torch.float64))


def test_the_spatial_norm_of_cbam_has_the_authors_numbers() -> None:
    norm = cbam().spatial.norm
    assert (norm.eps, norm.momentum, cbam().spatial.conv.bias) == (1e-5, 0.01, None)


@pytest.mark.parametrize("variant", VARIANTS)
def test_both_gates_of_gam_are_between_0_and_1_at_every_position(variant: str) -> None:
    x_BCHW, module = images(), gam(variant)
    for gate in (module.channel, module.spatial):
        gate_BCHW = gate(x_BCHW)
        assert gate_BCHW.shape == x_BCHW.shape
        assert ((gate_BCHW > 0) & (gate_BCHW < 1)).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_gam_flips_no_sign(variant: str) -> None:
    x_BCHW = images()
    assert torch.equal(gam(variant)(x_BCHW).sign(), x_BCHW.sign())


@pytest.mark.parametrize("variant", VARIANTS)
def test_gam_applies_the_channel_gate_first(variant: str) -> None:
    x_BCHW, module = images(), gam(variant)
    gated_BCHW = x_BCHW * module.channel(x_BCHW)
    torch.testing.assert_close(module(x_BCHW), gated_BCHW * module.spatial(gated_BCHW))


def test_the_channel_gate_of_gam_is_one_mlp_for_every_position() -> None:
    x_BCHW, module = images(), gam("full")
    first, second = module.channel[0], module.channel[2]
    assert isinstance(first, nn.Conv2d)
    assert isinstance(second, nn.Conv2d)
    assert first.bias is not None
    assert second.bias is not None
    hidden_M = (first.weight.flatten(1) @ x_BCHW[1, :, 2, 3] + first.bias).clamp(min=0)
    expected_C = torch.sigmoid(second.weight.flatten(1) @ hidden_M + second.bias)
    torch.testing.assert_close(module.channel(x_BCHW)[1, :, 2, 3], expected_C)


def test_groups_of_gam_meet_between_the_convolutions() -> None:
    """One channel reaches every group's output, which without a shuffle it would not."""
    module = gam("grouped", channels=16)
    x_BCHW = images(16).requires_grad_()
    (gradient_BCHW,) = torch.autograd.grad(module.spatial(x_BCHW)[:, -1].sum(), x_BCHW)
    reaching_C = gradient_BCHW.abs().sum(dim=(0, 2, 3)) > 0
    assert reaching_C[:8].any()
    assert reaching_C[8:].any()
