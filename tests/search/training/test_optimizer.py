import pytest
import torch
from torch import nn

from backbones import build
from search.config import StudyConfig
from search.training.optimizer import optimizer_of
from space import MECHANISMS, SearchSpace, baselines, cost, plain

USUAL = baselines(SearchSpace(backbone="resnet8"))


def decaying_names(model: nn.Module, small_config: StudyConfig) -> set[str]:
    """Return the parameters that the optimiser lets decay; checks that it has each one once."""
    optimizer = optimizer_of(model, small_config.protocol)
    held = [(id(p), group) for group in optimizer.param_groups for p in group["params"]]
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert sorted(one for one, _ in held) == sorted(names)
    assert {group["weight_decay"] for _, group in held} == {0, small_config.protocol.weight_decay}
    return {names[one] for one, group in held if group["weight_decay"]}


@pytest.mark.parametrize("kind", MECHANISMS)
def test_kernels_and_matrices_decay_and_nothing_else(kind: str, small_config: StudyConfig) -> None:
    """Convolutions, linear layers and tables of positions mix; all else shifts or scales."""
    model = build(USUAL[kind])
    mixing = (nn.Conv1d, nn.Conv2d, nn.Linear)
    expected = {f"{name}.weight" for name, one in model.named_modules() if isinstance(one, mixing)}
    tables = {n for n, _ in model.named_parameters() if n.endswith(("key_below", "key_right"))}
    assert decaying_names(model, small_config) == expected | tables
    attention = [
        name for name, _ in model.named_parameters() if ".residual." in name or ".end." in name
    ]
    # The mechanism is in the network, and its parameters, if any, are among the ones seen.
    assert bool(attention) == (cost(USUAL[kind]).params > cost(plain("resnet8")).params)


def test_norms_biases_and_gains_do_not_decay(small_config: StudyConfig) -> None:
    model = nn.Module()
    model.norm, model.linear = nn.BatchNorm2d(4), nn.Linear(4, 2)
    model.gain, model.scale = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(1))
    assert decaying_names(model, small_config) == {"linear.weight"}


def test_frozen_parameters_are_left_out(small_config: StudyConfig) -> None:
    model = nn.Linear(4, 2)
    model.bias.requires_grad_(False)
    groups = optimizer_of(model, small_config.protocol).param_groups
    assert [len(group["params"]) for group in groups] == [1, 0]


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.9, True), (0.0, False)])
def test_the_protocols_numbers_are_used(
    momentum: float, nesterov: bool, small_config: StudyConfig
) -> None:
    protocol = small_config.protocol.model_copy(update={"momentum": momentum})
    for group in optimizer_of(nn.Linear(4, 2), protocol).param_groups:
        assert (group["momentum"], group["nesterov"]) == (momentum, nesterov)
        assert group["lr"] == protocol.learning_rate


def test_a_step_is_nesterovs(small_config: StudyConfig) -> None:
    """Sutskever et al. 2013, in the form of torch: v = µv + g + λw, w = w - r(g + λw + µv)."""
    protocol = small_config.protocol.model_copy(update={"weight_decay": 0.1})
    rate, momentum, decay = protocol.learning_rate, protocol.momentum, 0.1
    model = nn.Linear(1, 1, bias=False)
    weight = model.weight.item()
    optimizer = optimizer_of(model, protocol)
    velocity = 0.0
    for gradient in (1.0, -0.5, 2.0):
        model.weight.grad = torch.full((1, 1), gradient)
        optimizer.step()
        total = gradient + decay * weight
        velocity = momentum * velocity + total
        weight -= rate * (total + momentum * velocity)
        assert model.weight.item() == pytest.approx(weight, rel=1e-5)


def test_the_tutorials_optimiser_is_adam(small_config: StudyConfig) -> None:
    changed = {"recipe": "tutorial", "learning_rate": 1e-3, "weight_decay": 1e-4}
    found = optimizer_of(nn.Linear(4, 2), small_config.protocol.model_copy(update=changed))
    assert isinstance(found, torch.optim.Adam)
    (group,) = found.param_groups
    assert (group["lr"], group["weight_decay"], len(group["params"])) == (1e-3, 1e-4, 2)
