"""The training loop, read from top to bottom; it yields what happened and stores nothing.

Shapes: B images of a batch, C colours, H x W pixels, K classes, N images.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import ceil, isfinite
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from search.config import Precision, Protocol
from studies import Epoch

from .augment import crop_draws, cropped, normalised, padded
from .convolutions import wide_convolutions
from .data import Split
from .optimizer import take_step
from .schedule import rate
from .state import TrainingState

VALIDATION_BATCH = 500


class TrainingDivergedError(ArithmeticError):
    """The loss is no number any more."""


class TrainingStoppedError(Exception):
    """`should_stop` said so."""


@dataclass(frozen=True, slots=True)
class Images:
    """The data of a study on the device, as bytes; training images have a border for crops."""

    train_NPPC: Tensor
    train_labels_N: Tensor
    validation_NHWC: Tensor
    validation_labels_N: Tensor

    @property
    def device(self) -> torch.device:
        """Return where they are."""
        return self.train_NPPC.device

    def first(self, count: int | None) -> Self:
        """Return them with the first validation images only, which are as balanced as all."""
        validation = self.validation_NHWC[:count], self.validation_labels_N[:count]
        return type(self)(self.train_NPPC, self.train_labels_N, *validation)


@dataclass(frozen=True, slots=True)
class Validation:
    """What a network gets right: accuracy 0 to 1, and one bit for each image."""

    loss: float
    accuracy: float
    correct: bytes
    seconds: float = field(compare=False)
    unaveraged: float | None = None  # accuracy before averaging, at the end, if it was asked for


def on_device(split: Split, crop_padding: int, device: torch.device) -> Images:
    """Return the split as tensors on the device, in bytes."""
    assert len(split.validation_labels) % 8 == 0, "padding bits would count as wrong images"
    return Images(
        padded(torch.from_numpy(split.train_images), crop_padding).to(device),
        torch.from_numpy(split.train_labels).long().to(device),
        torch.from_numpy(split.validation_images).to(device),
        torch.from_numpy(split.validation_labels).long().to(device),
    )


def train(
    state: TrainingState,
    images: Images,
    *,
    compare_averaging: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Epoch, Validation]]:
    """Train in place for the epochs that are not done, yielding after each.

    The same state on the same machine with one thread gives the same numbers, also one that was
    taken up again between two epochs. Where weights are averaged the model ends with the mean;
    the last validation can hold both accuracies.

    Raises:
        TrainingDivergedError: the loss of an epoch is not finite.
        TrainingStoppedError: `should_stop`, asked at every step, was true.
    """
    protocol = state.protocol
    few = images.first(protocol.curve_images)
    with wide_convolutions(state.model):
        for epoch in range(state.num_epochs + 1, protocol.epochs + 1):
            started = time.perf_counter()
            train_loss = _learn(state, images, epoch, should_stop)
            if epoch < protocol.epochs:
                found = validate(state.judged, few, protocol.precision)
            else:
                found = _ended(state, images, compare=compare_averaging)
            _refuse_no_number(train_loss, found.loss, epoch)
            seconds = time.perf_counter() - started
            state.num_epochs = epoch
            yield Epoch(epoch, train_loss, found.loss, found.accuracy, seconds), found


def _learn(
    state: TrainingState, images: Images, epoch: int, should_stop: Callable[[], bool]
) -> float:
    """Take the steps of one epoch and return the mean loss."""
    state.model.train()
    total_loss = torch.zeros((), device=images.device)
    for step_rate, x_BCHW, labels_B in _steps(images, state.protocol, epoch, state.generator):
        if should_stop():
            raise TrainingStoppedError
        loss = _loss(state.model, x_BCHW, labels_B, state.protocol)
        loss.backward()
        take_step(state.optimizer, step_rate)
        if state.averaged is not None:
            state.averaged.follow()
        total_loss += loss.detach() * len(labels_B)  # unseen: a look would wait for a GPU
    return total_loss.item() / len(images.train_labels_N)


def _ended(state: TrainingState, images: Images, *, compare: bool) -> Validation:
    """Give the model its averaged weights, if any, and return what it gets right."""
    precision = state.protocol.precision
    if state.averaged is None:
        return validate(state.model, images, precision)
    own = validate(state.model, images, precision) if compare else None
    state.averaged.give_back(state.model)
    found = validate(state.model, images, precision)
    if own is None:
        return found
    return replace(found, unaveraged=own.accuracy, seconds=own.seconds + found.seconds)


def _refuse_no_number(train_loss: float, validation_loss: float, epoch: int) -> None:
    for loss in (train_loss, validation_loss):
        if not isfinite(loss):
            raise TrainingDivergedError(f"the loss became {loss} in epoch {epoch}")


def num_steps_of(images: Images, protocol: Protocol) -> int:
    """Return the steps of an epoch; the last may have fewer images."""
    return ceil(len(images.train_labels_N) / protocol.batch_size)


def _steps(
    images: Images, protocol: Protocol, epoch: int, generator: torch.Generator
) -> Iterator[tuple[float, Tensor, Tensor]]:
    """Yield the learning rate, the augmented images and the labels of each step of an epoch."""
    num_images = len(images.train_labels_N)
    num_steps = num_steps_of(images, protocol)
    device = images.device
    order_N = torch.randperm(num_images, generator=generator).to(device)
    draws_3N = crop_draws(num_images, generator, flips=protocol.recipe == "study").to(device)
    batches = zip(
        order_N.split(protocol.batch_size), draws_3N.split(protocol.batch_size, dim=1), strict=True
    )
    for step, (index_B, draws_3B) in enumerate(batches):
        progress = (epoch - 1 + (step + 0.5) / num_steps) / protocol.epochs  # mid-step
        x_BCHW = normalised(cropped(images.train_NPPC, index_B, draws_3B))
        yield rate(protocol, progress), x_BCHW, images.train_labels_N[index_B]


def validate(model: nn.Module, images: Images, precision: Precision) -> Validation:
    """Return what the model gets right on the validation images; its mode is left at eval."""
    started = time.perf_counter()
    model.eval()
    correct: list[Tensor] = []
    loss = torch.zeros((), device=images.validation_NHWC.device)
    batches = zip(
        images.validation_NHWC.split(VALIDATION_BATCH),
        images.validation_labels_N.split(VALIDATION_BATCH),
        strict=True,
    )
    with torch.inference_mode():
        for images_BHWC, labels_B in batches:
            with autocast(images_BHWC.device, precision):
                logits_BK = model(normalised(images_BHWC))
            loss += functional.cross_entropy(logits_BK.float(), labels_B, reduction="sum")
            correct.append(logits_BK.argmax(dim=1) == labels_B)
    bits = torch.cat(correct).cpu().numpy()
    mean_loss = loss.item() / bits.size
    seconds = time.perf_counter() - started
    return Validation(mean_loss, float(bits.mean()), np.packbits(bits).tobytes(), seconds)


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Return the context in which networks run: bf16 where the protocol says so."""
    enabled = precision == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def _loss(model: nn.Module, x_BCHW: Tensor, labels_B: Tensor, protocol: Protocol) -> Tensor:
    with autocast(x_BCHW.device, protocol.precision):
        logits_BK = model(x_BCHW)
    return functional.cross_entropy(
        logits_BK.float(), labels_B, label_smoothing=protocol.label_smoothing
    )
