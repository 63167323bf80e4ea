"""What is recorded of which module, and that the model is left as it was.

Shapes: B images, C channels, H x W positions.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from backbones import build, gate_statistics, recorded
from backbones.attention import AttentionModule, Gained, Gate
from backbones.attention.se import SE
from space import MECHANISMS, Architecture, Placement, plain
from space.attention.se import SESizes

# Of each kind at its published setting: the gates and their forms.
VECTOR, MAP, TENSOR, ROWS, SCALAR = "vector", "map", "tensor", "rows", "scalar"
FORMS = {
    "se": {"channel": VECTOR},
    "cbam": {"channel": VECTOR, "spatial": MAP},
    "non_local": {"pairs": ROWS},
    "dual": {"position": ROWS, "alpha": SCALAR, "channel": ROWS, "beta": SCALAR},
    "criss_cross": {"gamma": SCALAR, "pass1": ROWS, "pass2": ROWS},
    "gam": {"channel": TENSOR, "spatial": TENSOR},
    "eca": {"gate": VECTOR},
    "gct": {"gate": VECTOR},
    "bam": {"gate": TENSOR},
    "coord": {"gate": TENSOR},
    "triplet": {"height_width": MAP, "channel_width": MAP, "channel_height": MAP},
    "simam": {"gate": TENSOR},
    "gc": {"context": ROWS, "added": VECTOR},
    "double": {"gathered": ROWS, "distributed": ROWS},
    "mhsa": {"heads": ROWS},
    "lka": {"gate": TENSOR},
}
SE_HERE = {"attention": {"kind": "se"}, "position": "residual"}
SECOND = "stage2.block1"  # the only block of the stage, in a ResNet-8


def network(*placements: Mapping[str, object]) -> nn.Module:
    """Return a ResNet-8 with the placements in its second stage: 32 channels, 16 x 16."""
    torch.manual_seed(0)
    second = tuple(Placement.model_validate(one) for one in placements)
    return build(Architecture(backbone="resnet8", stages=((), second, ())))


def images(number: int = 2) -> Tensor:
    return torch.randn(number, 3, 32, 32, generator=torch.Generator().manual_seed(0))


class Halved(AttentionModule):
    """A gate of 0.5, which fails on request."""

    fails = False

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW / 2

    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        if self.fails:
            raise RuntimeError("halfway")
        return {"gate": Gate("tensor", torch.full_like(x_BCHW, 0.5))}


def test_every_kind_has_its_forms_written_here() -> None:
    assert set(FORMS) == set(MECHANISMS)


@pytest.mark.parametrize("kind", MECHANISMS)
def test_every_kind_is_recorded_by_name_form_and_size(kind: str) -> None:
    model = network({"attention": {"kind": kind}, "position": "residual"})
    found = recorded(model, images())
    assert list(found) == [f"{SECOND}.residual.0"]
    (gates,) = found.values()
    assert {name: gate.form for name, gate in gates.items()} == FORMS[kind]
    for name, gate in gates.items():
        size, device = tuple(gate.values.shape), gate.values.device.type
        assert device == "cpu"
        assert not gate.values.requires_grad
        if gate.form == "rows":
            assert size[0] == 2
            if gate.limits == (0.0, 1.0):
                torch.testing.assert_close(gate.values.sum(dim=-1), torch.ones(size[:-1]))
        elif kind != "triplet" or name == "height_width":
            expected = {VECTOR: (2, 32, 1, 1), MAP: (2, 1, 16, 16), TENSOR: (2, 32, 16, 16)}
            assert size == expected.get(gate.form, ())


@pytest.mark.parametrize("kind", MECHANISMS)
def test_every_kind_has_statistics_of_all_its_gates(kind: str) -> None:
    model = network({"attention": {"kind": kind}, "position": "residual"})
    (found,) = gate_statistics(model, [images(3), images(2)]).values()
    module = model.get_submodule(f"{SECOND}.residual.0")
    assert isinstance(module, AttentionModule)
    assert (found.gain == 0) == MECHANISMS[kind].starts_as_identity
    assert {name: gate.form for name, gate in found.gates.items()} == FORMS[kind]
    for gate in found.gates.values():
        is_scalar, is_rows = gate.form == "scalar", gate.form == "rows"
        assert (gate.spread is None) == (gate.histogram is None) == is_scalar
        assert is_rows or gate.entropy is None
        assert gate.entropy is None or 0 <= gate.entropy <= 1 + 1e-6  # weights are in fp32
        assert gate.histogram is None or sum(gate.histogram) == pytest.approx(1)


def test_two_modules_in_one_slot_are_both_recorded() -> None:
    found = recorded(network(SE_HERE, SE_HERE), images())
    assert list(found) == [f"{SECOND}.residual.0", f"{SECOND}.residual.1"]
    first, second = (gates["channel"].values for gates in found.values())
    assert not torch.equal(first, second)


def test_a_module_behind_a_gain_appears_once_with_its_gain() -> None:
    model = network({**SE_HERE, "gain": "zero"})
    nn.init.constant_(model.get_parameter(f"{SECOND}.residual.0.gain"), 0.25)
    found = recorded(model, images())
    assert {name: list(gates) for name, gates in found.items()} == {
        f"{SECOND}.residual.0": ["channel", "gain"]
    }
    assert found[f"{SECOND}.residual.0"]["gain"].values == 0.25
    statistics = gate_statistics(model, [images()])[f"{SECOND}.residual.0"]
    assert statistics.gates["gain"].mean == 0.25
    # A(x) = x ⊙ s, s near a half: x changes by a quarter of about a half.
    assert statistics.gain == pytest.approx(0.25 * 0.5, rel=0.2)


def test_a_model_that_is_one_attention_module_has_an_empty_name() -> None:
    assert list(recorded(Gained(SE(4, SESizes(2, bias=True))), torch.randn(1, 4, 2, 2))) == [""]


def test_a_module_applied_twice_is_recorded_once_with_its_last_call() -> None:
    shared = SE(4, SESizes(2, bias=True))
    x_BCHW = torch.randn(2, 4, 3, 3)
    found = recorded(nn.Sequential(shared, nn.Sequential(shared)), x_BCHW)
    assert list(found) == ["0"]
    expected_BC11 = shared.gate(shared(x_BCHW))
    torch.testing.assert_close(found["0"]["channel"].values, expected_BC11.detach())


def test_a_model_without_attention_has_nothing_to_record() -> None:
    model = build(plain("resnet8"))
    assert recorded(model, images()) == {}
    assert gate_statistics(model, [images()]) == {}


def test_what_is_recorded_stays_when_the_model_learns_on() -> None:
    model = Gained(Halved())
    gain = recorded(model, torch.ones(1, 1, 1, 1))[""]["gain"]
    nn.init.ones_(model.gain)
    assert gain.values == 0


def snapshot(model: nn.Module) -> tuple[dict[str, Tensor], list[bool], list[int], Tensor]:
    modes = [module.training for module in model.modules()]
    hooks = [
        len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()
    ]
    return deepcopy(model.state_dict()), modes, hooks, torch.get_rng_state()


def of_mixed_modes(*placements: Mapping[str, object]) -> nn.Module:
    """Return a network with a frozen norm in training, and training parts in evaluation."""
    model = network(*placements).train()
    model.get_submodule("stem.norm").eval()
    model.get_submodule("stage3").eval()
    model.get_submodule("stage3.block1.conv2").train()
    return model


def assert_same(
    before: tuple[dict[str, Tensor], list[bool], list[int], Tensor], model: nn.Module
) -> None:
    state, modes, hooks, generator = snapshot(model)
    assert list(state) == list(before[0])
    assert all(torch.equal(state[name], before[0][name]) for name in state)
    assert modes == before[1]
    assert hooks == before[2] == [0] * len(modes)
    assert torch.equal(generator, before[3])
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.is_grad_enabled()


def test_the_model_stays_as_it_was() -> None:
    bam = {"attention": {"kind": "bam"}, "position": "stage_end"}
    model, x_BCHW = of_mixed_modes(bam, SE_HERE), images()
    before, pixels_BCHW = snapshot(model), x_BCHW.clone()
    recorded(model, x_BCHW)
    gate_statistics(model, [x_BCHW, x_BCHW])
    assert_same(before, model)
    assert torch.equal(x_BCHW, pixels_BCHW)


def test_the_model_stays_as_it_was_when_the_pass_fails_halfway() -> None:
    model = of_mixed_modes(SE_HERE)
    failing = Halved()
    failing.fails = True
    model.get_submodule(f"{SECOND}.post").append(failing)  # type: ignore[operator] # a Sequential
    before = snapshot(model)
    with pytest.raises(RuntimeError, match="halfway"):
        recorded(model, images())
    assert_same(before, model)
    with pytest.raises(RuntimeError, match="halfway"):
        gate_statistics(model, [images()])
    assert_same(before, model)


@pytest.mark.slow
@pytest.mark.parametrize("in_place", [False, True])
def test_a_compiled_model_is_heard_also_after_it_has_run(in_place: bool) -> None:
    model = network({"attention": {"kind": "se"}, "position": "residual"}).eval()
    expected = set(recorded(model, images()))
    compiled: nn.Module = model
    if in_place:
        model.compile(backend="eager")
    else:
        compiled = cast("nn.Module", torch.compile(model, backend="eager"))
    before_BK = compiled(images())
    assert set(recorded(compiled, images())) == set(gate_statistics(compiled, [images()]))
    assert set(recorded(compiled, images())) == expected
    assert torch.equal(compiled(images()), before_BK)


def test_what_a_data_loader_yields_is_a_batch() -> None:
    model = network({"attention": {"kind": "se"}, "position": "residual"})
    labelled = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(images(5), torch.arange(5)), batch_size=2
    )
    assert gate_statistics(model, labelled) == gate_statistics(model, images(5).split(2))
