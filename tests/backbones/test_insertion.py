"""Attention in torchvision's networks: where it stands, and what it leaves as it was."""

import io
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from backbones import insert, measure
from space import BACKBONES, MECHANISMS, Shape
from space.place import POSITIONS
from space.slot import slots
from tests.backbones.torchvision_networks import (
    everywhere,
    images,
    in_second,
    network,
    placed,
    shallow,
)

SE_KEYS = [f"{layer}.{name}" for layer in ("squeeze", "excite") for name in ("weight", "bias")]

every_network = pytest.mark.parametrize("name", ["resnet18", "resnet50"])
every_kind = pytest.mark.parametrize("kind", MECHANISMS)


@every_network
@every_kind
def test_a_gain_of_zero_leaves_the_outputs_to_the_bit(name: str, kind: str) -> None:
    model, original = network(name).eval(), network(name, seed=1).eval()
    original.load_state_dict(model.state_dict())
    insert(model, in_second(*everywhere(kind, gain="zero")), image_side=64)
    with torch.no_grad():
        assert torch.equal(model(images()), original(images()))


@pytest.mark.parametrize("position", POSITIONS[:-1])
@pytest.mark.parametrize("number", [0, 1])  # with a projection, and without
@every_network
def test_attention_stands_where_it_is_named_in_a_block(
    name: str, number: int, position: str
) -> None:
    model = insert(network(name).eval(), in_second(placed("se", position, "all")), image_side=64)
    part = model.get_submodule(f"layer2.{number}").get_submodule

    def seen(here: str, x_BCHW: Tensor) -> Tensor:
        y_BCHW: Tensor = part(f"{here}.0")(x_BCHW) if here == position else x_BCHW
        return y_BCHW

    x_BCHW = torch.randn(2, part("conv1").get_parameter("weight").shape[1], 16, 16)
    y_BCHW = seen("after_conv1", part("bn1")(part("conv1")(seen("pre", x_BCHW))).relu())
    y_BCHW = part("bn2")(part("conv2")(y_BCHW))
    if name == "resnet50":
        y_BCHW = part("bn3")(part("conv3")(y_BCHW.relu()))
    shortcut_BCHW = x_BCHW if number else part("downsample")(x_BCHW)
    sum_BCHW = seen("residual", y_BCHW) + seen("identity", shortcut_BCHW)
    torch.testing.assert_close(
        model.get_submodule(f"layer2.{number}")(x_BCHW), seen("post", sum_BCHW.relu())
    )


@every_network
def test_a_stages_end_is_behind_its_last_block(name: str) -> None:
    model, original = network(name).eval(), network(name).eval()
    insert(model, in_second(placed("se", "stage_end")), image_side=64)
    x_BCHW = torch.randn(2, 64 if name == "resnet18" else 256, 16, 16)
    expected_BCHW = model.get_submodule("layer2.end.0")(original.get_submodule("layer2")(x_BCHW))
    torch.testing.assert_close(model.get_submodule("layer2")(x_BCHW), expected_BCHW)


def test_two_placements_in_one_slot_stand_in_their_order() -> None:
    pair = placed("gam", "residual"), placed("se", "residual")
    model = insert(network("resnet18"), in_second(*pair))
    slot = model.get_submodule("layer2.0.residual")
    assert [type(one).__name__ for one in slot.children()] == ["GAM", "SE"]


@every_network
def test_the_models_tensors_stay_the_same_objects_under_their_names(name: str) -> None:
    model = network(name)
    before = model.state_dict(keep_vars=True)
    blocks = list(model.get_submodule("layer2").children())
    assert insert(model, in_second(*everywhere("se", "last"))) is model
    after = model.state_dict(keep_vars=True)
    assert all(after[key] is tensor for key, tensor in before.items())
    last = len(blocks) - 1
    places = [f"layer2.{last}.{position}.0" for position in POSITIONS[:-1]] + ["layer2.end.0"]
    assert set(after) - set(before) == {f"{place}.{key}" for place in places for key in SE_KEYS}
    assert list(model.get_submodule("layer2").children())[:last] == blocks[:last]


@every_network
def test_checkpoints_of_torchvision_load_after_the_insertion(name: str) -> None:
    original = network(name)
    model = insert(network(name, seed=1), in_second(*everywhere("se")))
    own = set(model.state_dict()) - set(original.state_dict())
    missing, unexpected = model.load_state_dict(original.state_dict(), strict=False)
    assert (set(missing), unexpected) == (own, [])
    assert all(torch.equal(model.state_dict()[k], v) for k, v in original.state_dict().items())


@every_kind
def test_the_cost_grows_by_that_of_the_slots(kind: str) -> None:
    stages = in_second(*everywhere(kind, gain="zero"))
    original = network("resnet18")
    model = insert(deepcopy(original), stages)
    added = slots(replace(BACKBONES["resnet18"], side=56), stages)
    measured = measure(model, Shape(3, 224, 224))
    params = sum(one.numel() for one in original.parameters())
    assert measured.params == params + sum(slot.params for slot in added)
    assert measured.macs == resnet18_macs() + sum(slot.macs for slot in added)


def resnet18_macs() -> int:
    """Return He et al., table 1, with projections: 1.8e9 multiply-adds."""
    macs = 3 * 64 * 49 * 112**2 + 4 * 64 * 64 * 9 * 56**2 + 512 * 1000
    for width, side in ((128, 28), (256, 14), (512, 7)):
        first = width // 2 * width * (9 + 1)  # a 3x3 and the shortcut's 1x1
        macs += (first + 3 * width * width * 9) * side**2
    return macs


@every_kind
def test_every_new_parameter_gets_a_gradient(kind: str) -> None:
    model = network("resnet18").train()
    before = set(model.state_dict())
    insert(model, in_second(*everywhere(kind)), image_side=64)
    model(images()).square().mean().backward()
    new = [one for name, one in model.named_parameters() if name not in before]
    assert all(one.grad is not None and one.grad.isfinite().all() for one in new)


@pytest.mark.parametrize("training", [True, False])
def test_new_modules_take_the_mode_and_others_keep_theirs(training: bool) -> None:
    model = network("resnet18").train(training)
    model.get_submodule("layer2.0.bn1").train(not training)
    insert(model, in_second(*everywhere("cbam")))
    other = [name for name, one in model.named_modules() if one.training != training]
    assert other == ["layer2.0.bn1"]


def test_new_modules_take_the_dtype() -> None:
    model = insert(network("resnet18").double(), in_second(*everywhere("se")))
    assert {one.dtype for one in model.parameters()} == {torch.float64}
    assert model.eval()(images().double()).dtype == torch.float64


def saved(value: object) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(value, file)
    return io.BytesIO(file.getvalue())


@every_network
def test_a_model_is_copied_and_pickled_with_its_attention(name: str) -> None:
    stages = in_second(*everywhere("se"))
    model = insert(network(name).eval(), stages, image_side=64)
    pickled = torch.load(saved(model), weights_only=False)
    loaded = insert(network(name, seed=1).eval(), stages, image_side=64)
    loaded.load_state_dict(torch.load(saved(model.state_dict())))
    with torch.no_grad():
        expected_BK = model(images())
        for one in (deepcopy(model), pickled, loaded):
            assert torch.equal(one(images()), expected_BK)


@pytest.mark.slow
@pytest.mark.parametrize("block", ["BasicBlock", "Bottleneck"])
def test_a_model_is_one_graph(block: str) -> None:
    torch.compiler.reset()
    stages = in_second(*everywhere("mhsa", gain="zero"), placed("coord", "residual"))
    model = insert(shallow(block).eval(), stages, image_side=64)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(compiled(images()), model(images()))


def test_no_placement_changes_nothing() -> None:
    model = network("resnet18")
    before = list(model.modules())
    assert list(insert(model, in_second()).modules()) == before
