"""Batch norms within the convolutions before them: equal outputs, and only where that is right."""

from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from backbones import build
from backbones.fold import folded
from space import Refusal, SearchSpace, baselines
from tests.backbones.standalone_files import stirred
from tests.backbones.torchvision_networks import shallow

USUAL = baselines(SearchSpace(backbone="resnet8"))
WITH_NORMS = ("cbam", "non_local", "gam", "bam", "coord", "triplet")


def norms(model: nn.Module) -> list[str]:
    return [name for name, one in model.named_modules() if isinstance(one, nn.BatchNorm2d)]


@pytest.mark.parametrize("kind", WITH_NORMS)
def test_a_folded_network_returns_the_same(kind: str) -> None:
    model = stirred(build(USUAL[kind]))
    x_BCHW = torch.randn(1, 3, 32, 32)
    copy = folded(model, x_BCHW)
    assert norms(model)
    assert not norms(copy)
    with torch.no_grad():
        y_BK = model(x_BCHW)
        torch.testing.assert_close(copy(x_BCHW), y_BK, rtol=0, atol=1e-5 * float(y_BK.abs().max()))


def test_the_model_stays_as_it_is() -> None:
    model = stirred(build(USUAL["se"])).train()
    before = {name: one.clone() for name, one in model.state_dict().items()}
    copy = folded(model, torch.randn(2, 3, 32, 32))
    assert model.training
    assert not copy.training
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())
    assert all(one.requires_grad for one in model.parameters())


class Between(nn.Module):
    """A convolution and a norm, and what the subclass does between."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.norm = nn.BatchNorm2d(3)
        self.gate = nn.Sequential()

    def forward(self, x_BCHW: Tensor) -> Tensor:
        y_BCHW: Tensor = self.norm(self.gate(self.conv(x_BCHW)))
        return y_BCHW.mean(dim=(2, 3))


class Twice(Between):
    def forward(self, x_BCHW: Tensor) -> Tensor:
        return super().forward(self.conv(x_BCHW))


class AroundToo(Between):
    def forward(self, x_BCHW: Tensor) -> Tensor:
        y_BCHW: Tensor = self.conv(x_BCHW)
        z_BCHW: Tensor = self.norm(y_BCHW) + y_BCHW
        return z_BCHW.mean(dim=(2, 3))


class Written(Between):
    def forward(self, x_BCHW: Tensor) -> Tensor:
        y_BCHW: Tensor = self.norm(self.conv(x_BCHW).relu_())
        return y_BCHW.mean(dim=(2, 3))


def test_a_norm_behind_its_convolution_is_folded() -> None:
    assert norms(folded(stirred(Between()), torch.randn(2, 3, 4, 4))) == []


@pytest.mark.parametrize("made", [Twice, AroundToo, Written])
def test_a_norm_stays_where_folding_would_be_wrong(made: type[Between]) -> None:
    assert norms(folded(stirred(made()), torch.randn(2, 3, 4, 4))) == ["norm"]


def test_a_norm_stays_behind_attention() -> None:
    model = Between()
    model.gate = nn.Sequential(nn.Sigmoid())
    assert norms(folded(stirred(model), torch.randn(2, 3, 4, 4))) == ["norm"]


def test_frozen_weights_are_folded_as_well() -> None:
    model = stirred(Between()).requires_grad_(False)
    assert norms(folded(model, torch.randn(2, 3, 4, 4))) == []


def test_torchvisions_networks_are_folded_too() -> None:
    model = stirred(shallow("Bottleneck"))
    copy = folded(model, torch.randn(1, 3, 32, 32))
    assert norms(copy) == []
    assert isinstance(copy.get_submodule("bn1"), nn.Identity)


def test_weights_that_are_no_numbers_are_refused() -> None:
    model = nn.Sequential(OrderedDict(inner=stirred(Between())))
    with torch.no_grad():
        model.get_submodule("inner.conv").get_parameter("weight").fill_(torch.nan)
    with pytest.raises(Refusal, match=r"what it did before within 1e-05, got .* nan"):
        folded(model, torch.randn(2, 3, 4, 4))
