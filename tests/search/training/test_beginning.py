"""The first epochs by the tips: frozen tensors stay bit for bit, attention comes in by steps."""

from contextlib import suppress
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from search.config import Protocol, StudyConfig
from search.training.augment import normalised
from search.training.beginning import backbone_names, begun
from search.training.data import load
from search.training.loop import Images, on_device, train
from search.training.state import TrainingState
from search.training.tips import Tips
from search.training.worker import seeded_model
from space import Architecture, Refusal, plain

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
STEPS = 2  # of an epoch: 20 images in batches of 10
SE = {"attention": {"kind": "se"}, "position": "residual"}
BAM = {
    "attention": {"kind": "bam"},
    "position": "stage_end",
    "gain": "zero",
}  # has norms of its own
WITH = Architecture.model_validate({"backbone": "resnet8", "stages": [[SE], [], [BAM]]})
State = dict[str, Tensor]


@pytest.fixture
def images(protocol: Protocol) -> Images:
    return on_device(load("cifar10-sample", num_train=20), protocol.crop_padding, CPU).first(40)


@pytest.fixture
def protocol(small_config: StudyConfig) -> Protocol:
    smaller = {"epochs": 2, "train_images": 20, "batch_size": 10}
    return small_config.protocol.model_copy(update=smaller)


def states(
    images: Images, protocol: Protocol, *, frozen_steps: int = 0, warmup_steps: int = 0
) -> list[State]:
    """Return all tensors before the training and behind each epoch."""
    model = seeded_model(WITH, 0)
    found = [copied(model)]
    with begun(model, frozen_steps=frozen_steps, warmup_steps=warmup_steps):
        found += [copied(model) for _ in train(TrainingState(model, protocol, 0), images)]
    return found


def copied(model: nn.Module) -> State:
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(before: State, after: State) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("averaging", [0.0, 0.5])
def test_a_frozen_backbone_stays_bit_for_bit_and_then_all_of_it_moves(
    images: Images, protocol: Protocol, averaging: float
) -> None:
    """Running statistics and their counters included; only the norms of attention count."""
    averaged = protocol.model_copy(update={"averaging": averaging})
    start, first, second = states(images, averaged, frozen_steps=STEPS)
    frozen = backbone_names(seeded_model(WITH, 0))
    learnt = changed(start, first)
    assert learnt.isdisjoint(frozen)
    se, bam = "stage1.block1.residual.0.squeeze.weight", "stage3.end.0.gain"
    assert {se, bam, "head.linear.weight", "head.linear.bias"} <= learnt
    assert {name for name in frozen if start[name].is_floating_point()} <= changed(first, second)
    counters = {name for name in start if name.endswith("num_batches_tracked")}
    assert counters & learnt == {name for name in counters if ".end." in name} != set()


def test_the_backbone_is_all_but_attention_and_classifier() -> None:
    assert backbone_names(seeded_model(WITH, 0)) == {
        name for name in seeded_model(plain("resnet8"), 0).state_dict() if "head" not in name
    }


def test_a_training_without_tips_is_the_same_bit_for_bit(
    images: Images, protocol: Protocol
) -> None:
    model = seeded_model(WITH, 0)
    list(train(TrainingState(model, protocol, 0), images))
    assert changed(copied(model), states(images, protocol)[-1]) == set()


def test_attention_counts_nothing_at_the_first_step_and_all_after_the_last(
    images: Images,
) -> None:
    """Behind 4 of 4 steps the network is the ordinary one; a quarter each before."""
    model, x_BCHW = seeded_model(WITH, 0), normalised(images.validation_NHWC[:4])
    without = seeded_model(plain("resnet8"), 0)
    without.load_state_dict(model.state_dict(), strict=False)
    expected, ordinary = without.eval()(x_BCHW), model.eval()(x_BCHW)
    distances = []
    with begun(model, frozen_steps=0, warmup_steps=4):
        for _ in range(5):
            distances.append((model.eval()(x_BCHW) - expected).abs().max().item())
            pass_in_training_alone(model, x_BCHW)
        assert torch.equal(model.eval()(x_BCHW), ordinary)
    assert distances[0] == 0
    assert distances == sorted(distances)
    assert distances[4] == (ordinary - expected).abs().max().item() > distances[3] > 0
    assert torch.equal(model(x_BCHW), ordinary)


def pass_in_training_alone(model: nn.Module, x_BCHW: Tensor) -> None:
    """Do a step's pass without moving the norms' statistics."""
    model.training = True
    model(x_BCHW)
    model.eval()


def test_a_share_of_attention_is_that_share_of_its_change(images: Images) -> None:
    """x + a·(A(x) − x) at a = 1/2, by hand for SE alone."""
    model = seeded_model(WITH, 0).eval()
    module = model.get_submodule("stage1.block1.residual.0")
    x_BCHW = torch.randn(2, 16, 32, 32)
    whole = module(x_BCHW)
    with begun(model, frozen_steps=0, warmup_steps=2):
        pass_in_training_alone(model, normalised(images.validation_NHWC[:2]))
        half = module(x_BCHW)
    torch.testing.assert_close(half, (x_BCHW + whole) / 2)


def test_a_warm_up_leaves_no_trace_in_the_network(images: Images, protocol: Protocol) -> None:
    once = protocol.model_copy(update={"epochs": 1})
    _, last = states(images, once, warmup_steps=STEPS, frozen_steps=STEPS)
    model = seeded_model(WITH, 0)
    assert set(last) == set(model.state_dict())
    with suppress(RuntimeError), begun(model, frozen_steps=3, warmup_steps=3):
        pass_in_training_alone(model, normalised(images.validation_NHWC[:2]))
        assert not model.get_parameter("stem.conv.weight").requires_grad
        raise RuntimeError
    assert all(one.requires_grad for one in model.parameters())
    hooks = [(one._forward_hooks, one._forward_pre_hooks) for one in model.modules()]
    assert not any(before or behind for before, behind in hooks)


def test_a_warm_up_at_its_start_trains_the_plain_network_averaged_or_not(
    images: Images, protocol: Protocol
) -> None:
    """At a millionth of attention; the averaged copy goes by the same steps."""
    for averaging in (0.0, 0.5):
        averaged = protocol.model_copy(update={"averaging": averaging, "epochs": 1})
        model, without = seeded_model(WITH, 0), seeded_model(plain("resnet8"), 0)
        without.load_state_dict(model.state_dict(), strict=False)
        with begun(model, frozen_steps=0, warmup_steps=10**6 * STEPS):
            ((epoch, _),) = train(TrainingState(model, averaged, 0), images)
        ((expected, _),) = train(TrainingState(without, averaged, 0), images)
        assert epoch.train_loss == pytest.approx(expected.train_loss, rel=1e-4)
        assert epoch.validation_loss == pytest.approx(expected.validation_loss, rel=1e-4)


@pytest.mark.parametrize(
    ("tips", "message"),
    [
        (Tips(freeze_backbone=1), "trained weights to freeze, got none; name them with --init-"),
        (Tips(Path("w"), freeze_backbone=0), "--freeze-backbone must be at least 1 .* got 0"),
        (Tips(Path("w"), freeze_backbone=3), "less than --epochs, which is 3, got 3"),
        (Tips(attention_warmup=3), "--attention-warmup .* less than --epochs, which is 3, got 3"),
    ],
)
def test_tips_that_cannot_be_followed_are_refused(tips: Tips, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        tips.refuse_unfit(WITH, 3)


def test_a_plain_network_has_no_attention_to_treat_apart() -> None:
    Tips(Path("w")).refuse_unfit(plain("resnet8"), 3)
    for tips in (Tips(Path("w"), freeze_backbone=1), Tips(attention_warmup=1)):
        with pytest.raises(Refusal, match="needs a network with attention, got a plain one"):
            tips.refuse_unfit(plain("resnet8"), 3)
