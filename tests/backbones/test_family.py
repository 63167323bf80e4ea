"""One suite for every mechanism: a new kind of `space.MECHANISMS` goes through all of it."""

from itertools import product
from typing import Any, Literal, get_args

import pytest
import torch
from torch import Tensor, nn

from backbones import measure
from backbones.attention import BUILDERS, AttentionModule, Gained
from backbones.slots import standing_at
from space import MECHANISMS, Mechanism, Shape, Slot
from space.attention.mechanism import UsualPosition
from tests.space.allowed import allowed_values

Case = tuple[Mechanism, Shape]
COUNTED_SHAPES = [Shape(*one) for one in ((16, 8, 8), (8, 5, 7), (4, 4, 4), (32, 9, 2))]
SMALL_SHAPES = [
    Shape(*one) for one in ((4, 4, 4), (8, 5, 7), (16, 3, 8), (16, 1, 1), (64, 1, 5), (512, 4, 4))
]
FEW_SHAPES = [SMALL_SHAPES[1], SMALL_SHAPES[3], SMALL_SHAPES[5]]


def settings(kind: str) -> list[dict[str, Any]]:
    """Every combination of the searched values, and what else a file may hold."""
    searched = MECHANISMS[kind].searched
    found = [dict(zip(searched, one, strict=True)) for one in product(*searched.values())]
    alone = allowed_values(kind).items()
    return [*found, *({name: value} for name, values in alone for value in values)]


def distinct(kind: str, shape: Shape) -> list[Mechanism]:
    """Return the buildable settings that differ in their effective sizes."""
    found = [MECHANISMS[kind].model_validate(one) for one in settings(kind)]
    return list({one.sizes(shape): one for one in found if not one.reason_invalid(shape)}.values())


def variants(kind: str) -> list[Mechanism]:
    """Return one setting for each choice that is no number: each path through the module."""
    paths: dict[tuple[object, ...], Mechanism] = {}
    for setting in settings(kind):
        mechanism = MECHANISMS[kind].model_validate(setting)
        words = (v for v in mechanism.model_dump().values() if isinstance(v, str | bool))
        paths.setdefault(tuple(words), mechanism)
    return list(paths.values())


def module_of(mechanism: Mechanism, shape: Shape) -> AttentionModule:
    torch.manual_seed(0)
    return BUILDERS[mechanism.kind](shape.channels, mechanism.sizes(shape))


def opened(mechanism: Mechanism, shape: Shape) -> AttentionModule:
    """Return the module with every gain away from 0, in evaluation mode."""
    module = module_of(mechanism, shape)
    with torch.no_grad():
        for parameter in module.parameters():
            if not parameter.any():
                parameter.fill_(0.7)
    return module.eval()


def images(shape: Shape, number: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    size = (number, shape.channels, shape.height, shape.width)
    return torch.randn(size, generator=generator) + 0.3


def cases(shapes: list[Shape]) -> list[Case]:
    return [
        (mechanism, shape)
        for kind, shape in product(MECHANISMS, shapes)
        for mechanism in variants(kind)
        if not mechanism.reason_invalid(shape)
    ]


def named(value: object) -> str:
    return value.in_words().replace(" ", "-") if isinstance(value, Mechanism) else str(value)


# An odd map, a single position and a wide one serve where the others would show the same.
every_case = pytest.mark.parametrize(("mechanism", "shape"), cases(SMALL_SHAPES), ids=named)
few_cases = pytest.mark.parametrize(("mechanism", "shape"), cases(FEW_SHAPES), ids=named)


def first_of_each_kind() -> list[Any]:
    """Return the few cases; all but each kind's first are slow: they take a third of a second."""
    found, kinds = [], set[str]()
    for case in cases(FEW_SHAPES):
        marks = [pytest.mark.slow] if case[0].kind in kinds else []
        found.append(pytest.param(*case, marks=marks, id="-".join(map(named, case))))
        kinds.add(case[0].kind)
    return found


def test_every_kind_has_a_builder_and_a_usual_place() -> None:
    assert set(BUILDERS) == set(MECHANISMS)
    assert len(set(BUILDERS.values())) == len(set(MECHANISMS.values())) == len(MECHANISMS)
    assert all(kind == MECHANISMS[kind].model_validate({}).kind for kind in MECHANISMS)
    for mechanism in MECHANISMS.values():
        assert mechanism.usual_position in get_args(UsualPosition)
    assert {mechanism.kind for mechanism, _ in cases(FEW_SHAPES)} == set(MECHANISMS)


@pytest.mark.parametrize("kind", MECHANISMS)
@pytest.mark.parametrize("shape", COUNTED_SHAPES, ids=str)
def test_the_closed_form_is_what_the_trace_and_the_tensors_count(kind: str, shape: Shape) -> None:
    for mechanism in distinct(kind, shape):
        measured = measure(module_of(mechanism, shape), shape)
        expected = (mechanism.macs(shape), mechanism.params(shape))
        assert (measured.macs, measured.params) == expected, mechanism.in_words()


@pytest.mark.parametrize("kind", MECHANISMS)
def test_a_shape_that_does_not_fit_is_refused_by_name(kind: str) -> None:
    for setting, shape in product(settings(kind), SMALL_SHAPES):
        reason = MECHANISMS[kind].model_validate(setting).reason_invalid(shape)
        assert reason is None or reason.split()[0] in MECHANISMS[kind].model_fields


@every_case
def test_the_shape_stays_and_all_is_finite(mechanism: Mechanism, shape: Shape) -> None:
    x_BCHW = images(shape)
    for module in (opened(mechanism, shape), module_of(mechanism, shape).train()):
        y_BCHW = module(x_BCHW)
        assert y_BCHW.shape == x_BCHW.shape
        assert y_BCHW.isfinite().all()


@few_cases
def test_the_input_is_left_as_it_was(mechanism: Mechanism, shape: Shape) -> None:
    x_BCHW = images(shape)
    before_BCHW = x_BCHW.clone()
    opened(mechanism, shape)(x_BCHW)
    assert torch.equal(x_BCHW, before_BCHW)


@few_cases
def test_an_image_does_not_depend_on_its_batch(mechanism: Mechanism, shape: Shape) -> None:
    """In double precision but for logits: kernels sum in another order for another batch."""
    module, x_BCHW = opened(mechanism, shape).double(), images(shape).double()
    of_batch, alone = module(x_BCHW)[:1], module(x_BCHW[:1])
    torch.testing.assert_close(of_batch, alone, rtol=1.3e-6, atol=1e-5)  # as torch's of fp32


@every_case
def test_channels_last_computes_the_same_and_stays(mechanism: Mechanism, shape: Shape) -> None:
    module, x_BCHW = opened(mechanism, shape), images(shape)
    expected_BCHW = module(x_BCHW)
    last = module.to(memory_format=torch.channels_last)
    y_BCHW = last(x_BCHW.contiguous(memory_format=torch.channels_last))
    rounding = 1e-5 * max(1, shape.channels / 64)  # of sums over the channels in another order
    torch.testing.assert_close(y_BCHW, expected_BCHW, rtol=1e-5, atol=rounding)
    assert y_BCHW.is_contiguous(memory_format=torch.channels_last)


@few_cases
def test_autocast_to_bf16_stays_finite_and_near(mechanism: Mechanism, shape: Shape) -> None:
    module, x_BCHW = opened(mechanism, shape), images(shape)
    with torch.autocast("cpu", torch.bfloat16):
        y_BCHW = module(x_BCHW)
    torch.testing.assert_close(y_BCHW.float(), module(x_BCHW), rtol=0.05, atol=0.1)


@every_case
def test_a_batch_of_one_trains(mechanism: Mechanism, shape: Shape) -> None:
    module = module_of(mechanism, shape).train()
    y_BCHW = module(images(shape, 1).requires_grad_())
    assert y_BCHW.isfinite().all()
    y_BCHW.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())


@few_cases
def test_the_weights_and_buffers_make_the_same_module_again(
    mechanism: Mechanism, shape: Shape
) -> None:
    module, x_BCHW = opened(mechanism, shape), images(shape)
    torch.manual_seed(1)
    other = BUILDERS[mechanism.kind](shape.channels, mechanism.sizes(shape)).eval()
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(x_BCHW), module(x_BCHW))


@pytest.mark.parametrize(("mechanism", "shape"), first_of_each_kind())
def test_it_is_traced_as_one_graph(mechanism: Mechanism, shape: Shape) -> None:
    torch.compiler.reset()
    module, x_BCHW = opened(mechanism, shape), images(shape)
    traced = torch.compile(module, backend="eager", fullgraph=True)
    torch.testing.assert_close(traced(x_BCHW), module(x_BCHW))


@few_cases
def test_behind_a_zero_gain_it_starts_as_the_identity(mechanism: Mechanism, shape: Shape) -> None:
    x_BCHW = images(shape)
    for mode in (True, False):
        gained = Gained(module_of(mechanism, shape)).train(mode)
        torch.testing.assert_close(gained(x_BCHW), x_BCHW, rtol=0, atol=1e-6)


@few_cases
def test_what_says_that_it_starts_as_the_identity_does(mechanism: Mechanism, shape: Shape) -> None:
    x_BCHW, module = images(shape), module_of(mechanism, shape)
    for mode in (True, False):
        same = torch.equal(module.train(mode)(x_BCHW), x_BCHW)
        assert same == mechanism.starts_as_identity


@few_cases
def test_its_gates_are_finite_within_their_limits_and_leave_it_alone(
    mechanism: Mechanism, shape: Shape
) -> None:
    module, x_BCHW = opened(mechanism, shape), images(shape)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    gates = module.gates(x_BCHW)
    assert gates
    for name, gate in gates.items():
        assert gate.values.isfinite().all(), name
        if gate.limits is not None:
            assert gate.limits[0] <= gate.values.min(), name
            assert gate.values.max() <= gate.limits[1], name
        if gate.form == "rows" and gate.limits is not None:
            sums = gate.values.sum(dim=-1)
            torch.testing.assert_close(sums, torch.ones_like(sums))
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


@every_case
def test_every_parameter_learns_once_the_gains_are_open(
    mechanism: Mechanism, shape: Shape
) -> None:
    assert_all_learns(module_of(mechanism, shape), mechanism, shape)


@every_case
def test_every_parameter_learns_from_an_identity_start(mechanism: Mechanism, shape: Shape) -> None:
    torch.manual_seed(0)
    gain: Literal["plain", "zero"] = "plain" if mechanism.starts_as_identity else "zero"
    slot = Slot(1, 1, "residual", 0, shape, mechanism, mechanism.sizes(shape), gain)
    (module,) = standing_at("residual", [slot]).children()
    assert torch.equal(module.eval()(images(shape)), images(shape))
    assert_all_learns(module, mechanism, shape, num_steps=3)  # the norm of CBAM is closed, too


def assert_all_learns(
    module: nn.Module, mechanism: Mechanism, shape: Shape, num_steps: int = 2
) -> None:
    """Take steps, and look at the gradients of the last."""
    # In evaluation mode, where a bias before a norm is not taken out again.
    module, x_BCHW = module.eval(), images(shape, 8 if shape.channels == 512 else 64)
    if not list(module.parameters()):
        assert mechanism.params(shape) == 0
        return
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    target_BCHW = torch.randn_like(x_BCHW)
    for _ in range(num_steps):
        optimizer.zero_grad()
        (module(x_BCHW) * target_BCHW).mean().backward()
        optimizer.step()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        if not blind(name, mechanism, shape):
            assert parameter.grad.any(), name


def blind(name: str, mechanism: Mechanism, shape: Shape) -> bool:
    """Say where a zero gradient is right: one key alone, and what softmax takes out again."""
    name = name.removeprefix("attention.")
    if mechanism.kind in ("se", "cbam", "gam"):
        return False
    alone = shape.positions == 1
    one_row = name == "key_below" and shape.height == 1
    one_column = name == "key_right" and shape.width == 1
    if "key.bias" in name or one_row or one_column:
        return True
    return alone and ("key" in name or "query" in name)
