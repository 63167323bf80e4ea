from dataclasses import replace
from math import log

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from search.config import Protocol, StudyConfig
from search.training import loop
from search.training.augment import normalised
from search.training.data import Split, load
from search.training.loop import (
    Images,
    TrainingDivergedError,
    TrainingStoppedError,
    Validation,
    on_device,
    train,
    validate,
)
from search.training.state import TrainingState
from search.training.worker import seeded_model
from space import Architecture, SearchSpace, baselines, plain
from studies import Epoch

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
PLAIN = plain("resnet8")
Run = tuple[list[Epoch], Validation, dict[str, Tensor]]


@pytest.fixture(scope="module")
def split() -> Split:
    """Return 200 training and 104 validation images of the sample."""
    whole = load("cifar10-sample", num_train=200)
    validation = whole.validation_images[:104], whole.validation_labels[:104]
    return Split(whole.train_images, whole.train_labels, *validation)


@pytest.fixture
def protocol(small_config: StudyConfig) -> Protocol:
    return small_config.protocol


@pytest.fixture
def images(split: Split, protocol: Protocol) -> Images:
    return on_device(split, protocol.crop_padding, CPU)


def trained(
    images: Images, protocol: Protocol, seed: int, architecture: Architecture = PLAIN
) -> Run:
    """Return the epochs without their times, the last validation, and the weights."""
    model = seeded_model(architecture, seed)
    results = list(train(TrainingState(model, protocol, seed), images))
    epochs = [replace(epoch, seconds=0.0) for epoch, _ in results]
    return epochs, results[-1][1], dict(model.state_dict())


def test_training_lowers_the_loss(images: Images, protocol: Protocol) -> None:
    longer = protocol.model_copy(update={"epochs": 4})
    epochs, _, _ = trained(images, longer, seed=0)
    assert [one.epoch for one in epochs] == [1, 2, 3, 4]
    chance = log(10)  # the loss of giving every class the same probability
    assert epochs[-1].train_loss < min(epochs[0].train_loss - 0.1, chance)


def test_the_same_seed_gives_the_same_epochs_and_weights(
    images: Images, protocol: Protocol
) -> None:
    with_se = baselines(SearchSpace(backbone="resnet8"))["se"]
    first = trained(images, protocol, 3, with_se)
    torch.manual_seed(99)  # whatever is drawn elsewhere
    second = trained(images, protocol, 3, with_se)
    assert first[:2] == second[:2]
    assert all(torch.equal(first[2][name], value) for name, value in second[2].items())


def test_another_seed_gives_other_epochs_and_weights(images: Images, protocol: Protocol) -> None:
    first, second = (trained(images, protocol, seed) for seed in (3, 4))
    assert first[0] != second[0]
    assert not torch.equal(first[2]["stem.conv.weight"], second[2]["stem.conv.weight"])


def test_the_order_of_images_is_the_seeds_alone(images: Images, protocol: Protocol) -> None:
    once = protocol.model_copy(update={"epochs": 1})
    losses = [
        next(train(TrainingState(seeded_model(PLAIN, 0), once, seed), images))[0].train_loss
        for seed in (5, 5, 6)
    ]
    assert losses[0] == losses[1] != losses[2]


def test_the_schedule_runs_over_the_whole_training(
    images: Images, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def recorded(own: Protocol, progress: float) -> float:
        seen.append(progress)
        return own.learning_rate * own.warmup

    monkeypatch.setattr(loop, "rate", recorded)
    list(train(TrainingState(seeded_model(PLAIN, 0), protocol, 0), images))
    assert seen == pytest.approx([(step + 0.5) / 8 for step in range(8)])  # 2 epochs of 4 steps


def test_epochs_come_one_at_a_time_and_training_stops_at_the_step_where_it_is_told_to(
    images: Images, protocol: Protocol
) -> None:
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) == 6

    run = train(
        TrainingState(seeded_model(PLAIN, 0), protocol, 0), images, should_stop=should_stop
    )
    assert next(run)[0].epoch == 1
    assert len(asked) == 4  # 200 images in batches of 50; the second epoch has not begun
    with pytest.raises(TrainingStoppedError):
        next(run)
    assert len(asked) == 6


def test_a_poisoned_weight_ends_the_training(images: Images, protocol: Protocol) -> None:
    model = seeded_model(PLAIN, 0)
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingDivergedError, match="the loss became nan in epoch 1"):
        next(train(TrainingState(model, protocol, 0), images))


def test_a_huge_rate_ends_the_training(images: Images, protocol: Protocol) -> None:
    wild = protocol.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(TrainingDivergedError, match=r"the loss became (nan|inf) in epoch 1"):
        list(train(TrainingState(seeded_model(PLAIN, 0), wild, 0), images))


def test_a_loss_that_is_wrong_in_validation_alone_is_named(
    images: Images, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Validation(float("inf"), 0.1, b"", 0.0)
    monkeypatch.setattr("search.training.loop.validate", lambda *_: broken)
    with pytest.raises(TrainingDivergedError, match="the loss became inf in epoch 1"):
        next(train(TrainingState(seeded_model(PLAIN, 0), protocol, 0), images))


def test_a_validation_is_what_image_by_image_gives(images: Images) -> None:
    model = seeded_model(PLAIN, 0)
    found = validate(model, images, "float32")
    with torch.inference_mode():
        logits_NK = torch.cat([model(normalised(x)) for x in images.validation_NHWC.split(1)])
    correct_N = logits_NK.argmax(dim=1) == images.validation_labels_N
    loss = functional.cross_entropy(logits_NK, images.validation_labels_N).item()
    bits = np.unpackbits(np.frombuffer(found.correct, dtype=np.uint8))
    assert bits.tolist() == correct_N.int().tolist()
    assert found.accuracy == pytest.approx(bits.mean())
    assert found.loss == pytest.approx(loss, rel=1e-4)


def test_validation_leaves_the_running_statistics_and_the_mode_at_evaluation(
    images: Images,
) -> None:
    model = seeded_model(PLAIN, 0).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    validate(model, images, "float32")
    assert not any(module.training for module in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_training_moves_the_running_statistics_once_a_step(
    images: Images, protocol: Protocol
) -> None:
    _, _, weights = trained(images, protocol, seed=0)
    steps = {int(v) for name, v in weights.items() if name.endswith("num_batches_tracked")}
    assert steps == {2 * 4}


def test_bits_never_need_padding(split: Split, protocol: Protocol) -> None:
    odd = Split(
        split.train_images,
        split.train_labels,
        split.validation_images[:101],
        split.validation_labels[:101],
    )
    with pytest.raises(AssertionError, match="padding bits"):
        on_device(odd, protocol.crop_padding, CPU)


def test_bf16_is_used_where_the_protocol_says_so(images: Images) -> None:
    seen: list[torch.dtype] = []
    model = seeded_model(PLAIN, 0)
    head = model.get_submodule("head.linear")
    head.register_forward_hook(lambda _module, _inputs, output: seen.append(output.dtype))
    validate(model, images, "float32")
    validate(model, images, "bfloat16")
    assert seen == [torch.float32, torch.bfloat16]
