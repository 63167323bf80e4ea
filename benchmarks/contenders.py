"""What the engine benchmark times: epochs of the tutorials' loop and of ours, in one process.

    python -m benchmarks.contenders NAME --backbone resnet20 --images 1800 --batch 128 --device cpu

Says when it is warm, waits for a line, trains one more epoch, and prints the seconds of each.
"""

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator

import numpy as np
import torch

from backbones import build
from search.config import NUM_TRAIN, Protocol
from search.training.data import Split, load
from search.training.loop import on_device, train
from search.training.state import TrainingState
from space import plain

from .figures import positive
from .peers.tutorial import Recipe, Tutorial
from .timing import device_of, precision_on

TUTORIAL, MIXED = "tutorial", "tutorial, mixed precision, channels_last"
ONE, ALL = "ours, one thread", "ours, all threads"
VALIDATION_SHARE = 9  # training images for each validation image, as in CIFAR-10's split
DATASET = "cifar10-sample"


def split_of(num_train: int) -> Split:
    """Return images of the embedded sample, nine for training for one of validation.

    Beyond its 3,000 images it begins again: speed does not ask which images they are.
    """
    whole = load(DATASET)
    num_validation = num_train // VALIDATION_SHARE // 8 * 8
    train_N = np.arange(num_train) % len(whole.train_labels)
    validation_N = np.arange(num_validation) % len(whole.validation_labels)
    return Split(
        whole.train_images[train_N],
        whole.train_labels[train_N],
        whole.validation_images[validation_N],
        whole.validation_labels[validation_N],
    )


def tutorial_epochs(options: Namespace, *, mixed: bool) -> Iterator[None]:
    """Train by the tutorials' loop."""
    recipe = Recipe(options.batch, 0.1, 2, mixed, options.device)
    peer = Tutorial(build(plain(options.backbone)), split_of(options.images), recipe)
    for _ in range(2):
        peer.epoch()
        yield


def our_epochs(options: Namespace, num_threads: int) -> Iterator[None]:
    """Train by ours."""
    torch.set_num_threads(num_threads)
    protocol = Protocol(
        dataset=DATASET,
        train_images=min(options.images, NUM_TRAIN[DATASET]),
        epochs=2,
        batch_size=options.batch,
        learning_rate=0.1,
        precision=precision_on(options.device),
    )
    images = on_device(split_of(options.images), protocol.crop_padding, options.device)
    model = build(plain(options.backbone))
    for _ in train(TrainingState(model, protocol, 0, images.device), images):
        yield


CONTENDERS: dict[str, Callable[[Namespace], Iterator[None]]] = {
    TUTORIAL: lambda options: tutorial_epochs(options, mixed=False),
    MIXED: lambda options: tutorial_epochs(options, mixed=True),
    ONE: lambda options: our_epochs(options, 1),
    ALL: lambda options: our_epochs(options, torch.get_num_threads()),
}


def parsed() -> Namespace:
    """Return the options."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--images", type=positive, required=True)
    parser.add_argument("--batch", type=positive, required=True)
    parser.add_argument("--device", type=device_of, required=True)
    return parser.parse_args()


def main() -> None:
    """Be a contender."""
    options = parsed()
    started = time.perf_counter()
    epochs = CONTENDERS[options.name](options)
    next(epochs)
    print(json.dumps(time.perf_counter() - started), flush=True)
    sys.stdin.readline()
    started = time.perf_counter()
    next(epochs)
    print(json.dumps(time.perf_counter() - started), flush=True)


if __name__ == "__main__":
    main()
