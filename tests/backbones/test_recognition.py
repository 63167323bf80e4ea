"""Which networks of torchvision's are known, what their maps are, and what is refused instead."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from backbones import build, insert
from space import BACKBONES, Refusal, plain
from space.slot import slots
from tests.backbones.torchvision_networks import (
    everywhere,
    images,
    in_second,
    network,
    placed,
    shallow,
)


@pytest.mark.parametrize("side", [64, 70, 97])
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_every_slot_sees_the_map_it_was_built_for(name: str, side: int) -> None:
    model = network(name)
    insert(model.eval(), [everywhere("mhsa")] * 4, image_side=side)  # it refuses other maps
    with torch.no_grad():
        assert model(images(side)).shape == (2, 1000)


def test_strides_that_became_dilations_are_read_from_the_model() -> None:
    model = shallow("Bottleneck", replace_stride_with_dilation=[False, True, True])
    insert(model.eval(), [everywhere("mhsa")] * 4, image_side=64)
    x_BCHW = torch.randn(2, 512, 8, 8)
    with torch.no_grad():
        assert model.get_submodule("layer3")(x_BCHW).shape == (2, 1024, 8, 8)
        assert model(images()).shape == (2, 1000)


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"])
def test_all_five_depths_gain_the_parameters_that_were_said(name: str) -> None:
    with torch.device("meta"):
        model = getattr(torchvision.models, name)()
    before = sum(one.numel() for one in model.parameters())
    stages = [(placed("se", "residual", "all"), placed("eca", "stage_end"))] * 4
    insert(model, stages)
    params = sum(one.numel() for one in model.parameters())
    added = slots(replace(BACKBONES[name], side=56), stages)
    assert params - before == sum(slot.params for slot in added)
    assert {one.device.type for one in model.parameters()} == {"meta"}


def with_part(name: str, part: nn.Module) -> nn.Module:
    """Return ResNet-18 with a part of another kind, or one part more."""
    model = network("resnet18")
    parent, _, last = name.rpartition(".")
    model.get_submodule(parent).register_module(last, part)
    return model


def attended(position: str) -> nn.Module:
    return insert(network("resnet18"), in_second(placed("se", position)))


OTHERS: dict[str, tuple[Callable[[], object], str]] = {
    "a maker of networks": (
        lambda: torchvision.models.resnet18,
        "model must have conv1, bn1, .*, fc, got a function without conv1, bn1, maxpool, layer1",
    ),
    "one of ours": (
        lambda: build(plain("resnet18")),
        "model must have conv1, .*, got a Sequential without conv1",
    ),
    "five stages": (
        lambda: with_part("layer5", nn.ReLU()),
        "stages must be layer1, .*, got layer1, layer2, layer3, layer4, layer5; insert into",
    ),
    "a stage cut off": (
        lambda: with_part("layer4", nn.ReLU()),
        r"layer4 must be a Sequential of blocks, got ReLU\(\); insert into",
    ),
    "a stage without blocks": (
        lambda: with_part("layer4", nn.Sequential()),
        r"layer4 must be a Sequential of blocks, got Sequential\(\); insert into",
    ),
    "a stem for small images": (
        lambda: with_part("conv1", nn.Conv2d(3, 64, 3, padding=1, bias=False)),
        r"conv1 must be .*, kernel_size=\(7, 7\), .*, got .*, kernel_size=\(3, 3\), .*; insert",
    ),
    "a stem without convolution": (
        lambda: with_part("conv1", nn.ReLU()),
        r"conv1 must be a Conv2d, got ReLU\(\); insert into",
    ),
    "no pooling": (
        lambda: with_part("maxpool", nn.Identity()),
        r"maxpool must be MaxPool2d\(kernel_size=3, .*, got Identity\(\); insert into",
    ),
    "no block": (
        lambda: with_part("layer2.2", nn.ReLU()),
        r"layer2\.2 must have conv1, .*, got ReLU\(\); insert into",
    ),
    "one part more": (
        lambda: with_part("layer2.1.se", nn.ReLU()),
        r"layer2\.1 must have conv1, bn1, relu, .*, got conv1, bn1, relu, conv2, bn2, se; insert",
    ),
    "a block of another kind": (
        lambda: with_part("layer2.1", shallow("Bottleneck").get_submodule("layer2.0")),
        r"layer2\.1 must have conv1, .*, got conv1, bn1, conv2, bn2, conv3, bn3, relu; insert",
    ),
    "a stride within a stage": (
        lambda: with_part("layer2.1.conv1", nn.Conv2d(128, 128, 3, 2, 1, bias=False)),
        r"layer2\.1\.conv1 must be .*, stride=\(1, 1\), .*, got .*, stride=\(2, 2\), .*; insert",
    ),
    "a ResNeXt": (
        torchvision.models.resnext50_32x4d,
        r"layer1\.0\.conv1 must be Conv2d\(64, 64, .*, got Conv2d\(64, 128, .*; insert into",
    ),
    "a wide ResNet": (
        torchvision.models.wide_resnet50_2,
        r"layer1\.0\.conv1 must be Conv2d\(64, 64, .*, got Conv2d\(64, 128, .*; insert into",
    ),
    "groups": (
        lambda: shallow("Bottleneck", groups=2, width_per_group=32),
        r"layer1\.0\.conv2 must be .*, got .*, groups=2, bias=False\); insert into",
    ),
    "attention behind a stage": (
        lambda: attended("stage_end"),
        "model must have no attention yet, got some in layer2; insert all placements at once",
    ),
    "attention in a block": (
        lambda: attended("post"),
        "model must have no attention yet, got some in layer2; insert all placements at once",
    ),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_network_is_refused_by_what_differs(what: str) -> None:
    make, rule = OTHERS[what]
    model: Any = make()
    with pytest.raises(Refusal, match=f"^{rule}") as refused:
        insert(model, in_second(placed("se", "residual")))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("side", [31, 0, -224, 224.0, "224", True])
def test_an_image_too_small_to_be_halved_five_times_is_refused(side: object) -> None:
    rule = f"image_side must be an integer of at least {2**5}, .* got {side!r}; name"
    with pytest.raises(Refusal, match=rule):
        insert(network("resnet18"), in_second(), image_side=side)  # type: ignore[arg-type]


def test_three_stages_are_refused_with_the_way_out() -> None:
    with pytest.raises(Refusal, match=r"hold 4 lists of placements, .* got 3; give a plain layer"):
        insert(network("resnet18"), in_second()[:3])


def test_a_placement_that_does_not_fit_is_refused_and_the_model_left_as_it_was() -> None:
    model = network("resnet18")
    before = list(model.modules())
    stages = ((), (placed("se", "residual"),), (), (placed("simam", "stage_end"),))
    rule = r"simam in stage 4 \(512@1x1\): regulariser needs .* got 1x1; change or drop this"
    with pytest.raises(Refusal, match=rule):
        insert(model, stages, image_side=32)
    assert list(model.modules()) == before
