"""Networks from data: sizes, names, starts, and the order of what is placed in one slot."""

from collections.abc import Mapping
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from backbones import build, measure, refuse_difference
from space import (
    BACKBONES,
    MECHANISMS,
    Architecture,
    Placement,
    SearchSpace,
    baselines,
    cost,
    plain,
)
from space.place import Position

RESIDUAL = {"attention": {"kind": "se"}, "position": "residual"}


def network(*placements: Mapping[str, object], seed: int = 0) -> nn.Module:
    """Return a ResNet-14 with the placements in its second stage."""
    torch.manual_seed(seed)
    return build(in_stage2(*placements))


def in_stage2(*placements: Mapping[str, object]) -> Architecture:
    second = tuple(Placement.model_validate(one) for one in placements)
    return Architecture(backbone="resnet14", stages=((), second, ()))


def images() -> Tensor:
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", BACKBONES)
def test_a_plain_network_counts_as_its_closed_form(name: str) -> None:
    measured, expected = measure(plain(name)), cost(plain(name))
    assert (measured.macs, measured.params) == (expected.macs, expected.params)


def test_resnet20_and_resnet18_have_the_papers_size_when_built() -> None:
    small, large = measure(build(plain("resnet20"))), measure(build(plain("resnet18")))
    assert (small.macs, small.params) == (40_551_040, 269_722)
    assert (large.macs, large.params) == (555_422_720, 11_173_962)


@pytest.mark.parametrize("name", ["resnet20", pytest.param("resnet18", marks=pytest.mark.slow)])
def test_baselines_count_as_their_closed_form(name: str) -> None:
    for architecture in baselines(SearchSpace(backbone=name)).values():
        refuse_difference(architecture, build(architecture))


def test_modules_are_named_as_people_count() -> None:
    names = dict(network(RESIDUAL, {**RESIDUAL, "position": "stage_end"}).named_modules())
    kinds = {name: type(module).__name__ for name, module in names.items()}
    assert [name for name, kind in kinds.items() if kind == "SE"] == [
        "stage2.block1.residual.0",
        "stage2.block2.residual.0",
        "stage2.end.0",
    ]
    assert {"stem.conv", "stage1.block1.conv1", "stage3.block2.norm2", "head.linear"} <= set(names)


def test_two_placements_in_one_slot_are_both_applied_in_order() -> None:
    gam = {"attention": {"kind": "gam"}, "position": "residual"}
    for placements, kinds in (((RESIDUAL, gam), ["SE", "GAM"]), ((gam, RESIDUAL), ["GAM", "SE"])):
        model = network(*placements).eval()
        seen: list[tuple[str, Tensor, Tensor]] = []

        def record(
            module: nn.Module,
            inputs: tuple[Tensor],
            output: Tensor,
            seen: list[tuple[str, Tensor, Tensor]] = seen,
        ) -> None:
            seen.append((type(module).__name__, inputs[0], output))

        slot = model.get_submodule("stage2.block1.residual")
        slot.register_forward_hook(record)
        for module in slot.children():
            module.register_forward_hook(record)
        model(images())
        (first, _, between), (second, then, last), (_, _, output) = seen
        assert [first, second] == kinds
        assert torch.equal(between, then)
        assert torch.equal(last, output)


def test_the_residual_slot_is_behind_the_last_norm_and_before_the_sum() -> None:
    model = network(RESIDUAL).eval()
    block = model.get_submodule("stage2.block2")
    x_BCHW = torch.randn(2, 32, 16, 16)
    se, norm = block.get_submodule("residual.0"), block.get_submodule("norm2")
    branch_BCHW = block.get_submodule("norm1")(block.get_submodule("conv1")(x_BCHW)).relu()
    branch_BCHW = norm(block.get_submodule("conv2")(branch_BCHW))
    torch.testing.assert_close(block(x_BCHW), (se(branch_BCHW) + x_BCHW).relu())


def eca(position: str, **other: str) -> dict[str, object]:
    return {"attention": {"kind": "eca"}, "position": position, **other}


@pytest.mark.parametrize(
    ("blocks", "numbers"),
    [("all", [1, 2, 3]), ("first", [1]), ("last", [3]), ("alternate", [1, 3])],
)
def test_the_named_blocks_get_attention(blocks: str, numbers: list[int]) -> None:
    placement = Placement.model_validate(eca("residual", blocks=blocks))
    model = build(Architecture(backbone="resnet20", stages=((), (placement,), ())))
    found = [name for name, module in model.named_modules() if type(module).__name__ == "ECA"]
    assert found == [f"stage2.block{number}.residual.0" for number in numbers]


def probed(backbone: str, position: str) -> tuple[nn.Module, nn.Module]:
    """Return the first block of stage 2, in evaluation mode, and the attention in it."""
    torch.manual_seed(0)
    placement = Placement.model_validate(eca(position, blocks="first"))
    stages: list[tuple[Placement, ...]] = [() for _ in BACKBONES[backbone].stages]
    stages[1] = (placement,)
    block = build(Architecture(backbone=backbone, stages=tuple(stages))).eval()
    block = block.get_submodule("stage2.block1")
    return block, block.get_submodule(f"{position}.0")


def by_hand(block: nn.Module, place: str, attention: nn.Module, x_BCHW: Tensor) -> Tensor:
    """Return a block's output, written out once more with attention in one place."""

    def at(here: str, y_BCHW: Tensor) -> Tensor:
        return attention(y_BCHW) if here == place else y_BCHW

    def layer(number: int, y_BCHW: Tensor) -> Tensor:
        norm, conv = (block.get_submodule(f"{part}{number}") for part in ("norm", "conv"))
        out_BCHW: Tensor = norm(conv(y_BCHW))
        return out_BCHW

    y_BCHW = at("after_conv1", layer(1, at("pre", x_BCHW)).relu())
    y_BCHW = layer(2, y_BCHW)
    if hasattr(block, "conv3"):
        y_BCHW = layer(3, y_BCHW.relu())
    shortcut_BCHW = at("identity", block.get_submodule("shortcut")(x_BCHW))
    return at("post", (at("residual", y_BCHW) + shortcut_BCHW).relu())


@pytest.mark.parametrize("position", ["pre", "after_conv1", "residual", "identity", "post"])
@pytest.mark.parametrize("backbone", ["resnet14", "resnet18", "resnet26"])
def test_attention_stands_where_its_position_says(backbone: str, position: str) -> None:
    block, attention = probed(backbone, position)
    width = BACKBONES[backbone].block_shapes(2, 1).entering.channels
    x_BCHW = torch.randn(2, width, 8, 8).relu()
    expected_BCHW = by_hand(block, position, attention, x_BCHW)
    torch.testing.assert_close(block(x_BCHW), expected_BCHW)
    elsewhere = by_hand(block, "nowhere", attention, x_BCHW)
    assert not torch.allclose(block(x_BCHW), elsewhere)


def test_behind_the_stage_is_behind_the_last_blocks_addition() -> None:
    torch.manual_seed(0)
    behind, after = (network(eca(position, blocks="last")) for position in ("stage_end", "post"))
    renamed = {k.replace("block2.post.0", "end.0"): v for k, v in after.state_dict().items()}
    behind.load_state_dict(renamed)
    assert torch.equal(behind.eval()(images()), after.eval()(images()))


@pytest.mark.parametrize("kind", MECHANISMS)
@pytest.mark.parametrize("position", get_args(Position))
def test_behind_a_zero_gain_the_network_starts_as_the_plain_one(kind: str, position: str) -> None:
    data = {"attention": {"kind": kind}, "position": position, "gain": "zero"}
    model, bare = network(data), network(seed=1)
    bare.load_state_dict({k: v for k, v in model.state_dict().items() if k in bare.state_dict()})
    for mode in (True, False):
        model.train(mode)
        bare.train(mode)
        torch.testing.assert_close(model(images()), bare(images()), rtol=0, atol=1e-6)
    if position == "residual":
        refuse_difference(in_stage2(data), model)


def test_the_pad_shortcut_keeps_every_other_position_and_adds_zeros() -> None:
    x_BCHW = torch.randn(2, 16, 32, 32)
    y_BCHW = network().get_submodule("stage2.block1.shortcut")(x_BCHW)
    assert torch.equal(y_BCHW[:, :16], x_BCHW[:, :, ::2, ::2])
    assert not y_BCHW[:, 16:].any()


@pytest.mark.parametrize(
    "kind", ["non_local", "dual", "criss_cross", "gct", "gc", "double", "mhsa", "lka"]
)
@pytest.mark.parametrize("position", get_args(Position))
def test_an_identity_at_the_start_survives_the_build(kind: str, position: str) -> None:
    model = network({"attention": {"kind": kind}, "position": position})
    bare = network(seed=1)
    bare.load_state_dict({k: v for k, v in model.state_dict().items() if k in bare.state_dict()})
    for mode in (True, False):
        model.train(mode)
        bare.train(mode)
        assert torch.equal(model(images()), bare(images()))


def test_the_open_half_of_cbam_survives_the_build() -> None:
    model = network({"attention": {"kind": "cbam"}, "position": "residual"})
    gate_B1HW = model.get_submodule("stage2.block1.residual.0.spatial")(torch.randn(2, 32, 16, 16))
    assert torch.equal(gate_B1HW, torch.full((2, 1, 16, 16), 0.5))


@pytest.mark.parametrize("kind", ["cbam", "non_local", "dual", "criss_cross"])
def test_a_start_of_its_own_can_be_restored(kind: str) -> None:
    model = network({"attention": {"kind": kind}, "position": "stage_end"})
    module = model.get_submodule("stage2.end.0")
    fresh = {name: one.std().item() for name, one in module.named_parameters() if one.dim() > 1}
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(9.0)
    assert callable(module.reset_parameters)
    module.reset_parameters()
    again = {name: one.std().item() for name, one in module.named_parameters() if one.dim() > 1}
    assert again == pytest.approx(fresh, rel=0.3)
    assert all(9.0 not in parameter for parameter in module.parameters())


def test_convolutions_start_as_he_et_al_say() -> None:
    weight = network().get_submodule("stage3.block2.conv1").get_parameter("weight")
    assert weight.std().item() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)


@pytest.mark.parametrize("kind", list(baselines(SearchSpace(backbone="resnet8"))))
def test_a_network_learns_ten_images_by_heart(kind: str) -> None:
    torch.manual_seed(0)
    model = build(baselines(SearchSpace(backbone="resnet8"))[kind])
    model = model.to(memory_format=torch.channels_last)
    x_BCHW, target_B = torch.randn(10, 3, 32, 32), torch.arange(10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    losses = []
    for _ in range(20):
        loss = nn.functional.cross_entropy(model(x_BCHW), target_B)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
