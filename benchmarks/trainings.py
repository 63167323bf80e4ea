"""One training of a plain network as data, and the loops that can do it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from search.config import Protocol
from search.training.data import Split, load
from search.training.loop import on_device, train
from search.training.state import TrainingState
from search.training.worker import seeded_model
from space import plain

from .peers.tutorial import Recipe, Tutorial
from .rounded import RoundedProducts

OURS, ROUNDED, TUTORIAL = "ours", "ours, rounded products", "tutorial"


@dataclass(frozen=True, slots=True)
class Training:
    """What decides a result. The same seed gives every loop the same first weights."""

    loop: str
    backbone: str
    seed: int
    protocol: Protocol
    device: str

    def facts(self) -> dict[str, object]:
        """Return all of it flat."""
        own = {"loop": self.loop, "backbone": self.backbone, "seed": self.seed}
        return {**own, "device": self.device, **self.protocol.model_dump(mode="json")}


@dataclass(frozen=True, slots=True)
class Trained:
    """Validation accuracy after each epoch, and the seconds it took, validation included."""

    accuracies: tuple[float, ...]
    seconds: tuple[float, ...]


def ours(training: Training, split: Split) -> Iterator[tuple[float, float]]:
    """Yield accuracy and seconds of each epoch of our loop."""
    images = on_device(split, training.protocol.crop_padding, torch.device(training.device))
    model = seeded_model(plain(training.backbone), training.seed)
    state = TrainingState(model, training.protocol, training.seed, images.device)
    for epoch, _ in train(state, images):
        yield epoch.accuracy, epoch.seconds


def rounded(training: Training, split: Split) -> Iterator[tuple[float, float]]:
    """Yield those of our loop with bf16 products as bf16 hardware computes them."""
    with RoundedProducts():
        yield from ours(training, split)


def tutorial(training: Training, split: Split) -> Iterator[tuple[float, float]]:
    """Yield those of the tutorials' loop in fp32.

    It loads its images itself: loader processes change its speed, not its accuracy.
    """
    protocol = training.protocol
    recipe = Recipe(
        protocol.batch_size,
        protocol.learning_rate,
        protocol.epochs,
        mixed=False,
        device=torch.device(training.device),
        num_loaders=0,
    )
    torch.manual_seed(training.seed)  # the order of images, crops and flips
    peer = Tutorial(seeded_model(plain(training.backbone), training.seed), split, recipe)
    for _ in range(protocol.epochs):
        started = time.perf_counter()
        yield peer.epoch(), time.perf_counter() - started


LOOPS: dict[str, Callable[[Training, Split], Iterator[tuple[float, float]]]] = {
    OURS: ours,
    ROUNDED: rounded,
    TUTORIAL: tutorial,
}


def trained(training: Training, data_dir: Path | None) -> Trained:
    """Do the training in one thread."""
    torch.set_num_threads(1)
    protocol = training.protocol
    split = load(
        protocol.dataset, data_dir, data_seed=protocol.data_seed, num_train=protocol.train_images
    )
    epochs = list(LOOPS[training.loop](training, split))
    return Trained(tuple(one for one, _ in epochs), tuple(one for _, one in epochs))
