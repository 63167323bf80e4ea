"""How fast whole epochs are, against the tutorials' loop on the same machine.

    python -m benchmarks.engine [--backbone resnet20] [--rounds 5] [--device cuda]

Contenders: the tutorials' loop; the same with mixed precision and channels_last; ours in one
process with one thread and with all; ours in two processes of one thread. In each round every
contender starts anew, trains one epoch to warm up and one that is timed, validation included; the
seconds from its start to its first step are apart.
"""

import json
import subprocess
import sys
import time
from argparse import SUPPRESS, Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from random import Random

import torch
from rich.progress import track
from rich.table import Table

from backbones import build
from search.config import Protocol
from search.training.data import Split, load
from search.training.loop import on_device, train
from space import BACKBONES, plain

from .figures import Median, median_of, parser_of, positive, publish
from .peers.tutorial import Recipe, Tutorial
from .timing import PROGRESS, device_of, precision_on

TUTORIAL, MIXED = "tutorial", "tutorial, mixed precision, channels_last"
ONE, ALL, TWO = "ours, one thread", "ours, all threads", "ours, two workers of one thread"
VALIDATION_SHARE = 9  # training images for each validation image, as in CIFAR-10's split


def split_of(num_train: int) -> Split:
    """Return images of the embedded sample, nine for training for one of validation."""
    split = load("cifar10-sample", num_train=num_train)
    num_validation = num_train // VALIDATION_SHARE // 8 * 8
    return replace(
        split,
        validation_images=split.validation_images[:num_validation],
        validation_labels=split.validation_labels[:num_validation],
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
        dataset="cifar10-sample",
        train_images=options.images,
        epochs=2,
        batch_size=options.batch,
        learning_rate=0.1,
        precision=precision_on(options.device),
    )
    images = on_device(split_of(options.images), protocol, options.device)
    for _ in train(build(plain(options.backbone)), images, protocol, seed=0):
        yield


def contenders(options: Namespace) -> dict[str, Callable[[], Iterator[None]]]:
    """Return what can be timed in one process."""
    return {
        TUTORIAL: lambda: tutorial_epochs(options, mixed=False),
        MIXED: lambda: tutorial_epochs(options, mixed=True),
        ONE: lambda: our_epochs(options, 1),
        ALL: lambda: our_epochs(options, torch.get_num_threads()),
    }


def run_one(name: str, options: Namespace) -> None:
    """Be a contender: say when warm, wait for a line, train one epoch, print the seconds."""
    started = time.perf_counter()
    epochs = contenders(options)[name]()
    next(epochs)
    print(json.dumps(time.perf_counter() - started), flush=True)
    sys.stdin.readline()
    started = time.perf_counter()
    next(epochs)
    print(json.dumps(time.perf_counter() - started), flush=True)


def timed(name: str, options: Namespace) -> float:
    """Return the training images per second of a contender, all its processes together."""
    count, single = (2, ONE) if name == TWO else (1, name)
    with ExitStack() as stack:
        processes = [stack.enter_context(_started(single, options)) for _ in range(count)]
        for process in processes:
            _answer(process)  # warm
        for process in processes:
            print("go", file=process.stdin, flush=True)
        slowest = max(_answer(process) for process in processes)
    speed: float = count * options.images / slowest
    return speed


def _started(name: str, options: Namespace) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.engine", "--contender", name]
    command += ["--backbone", options.backbone, "--images", str(options.images)]
    command += ["--batch", str(options.batch), "--device", options.device.type]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def _answer(process: subprocess.Popen[str]) -> float:
    assert process.stdout is not None
    return float(process.stdout.readline())


def speeds_of(options: Namespace) -> dict[str, list[float]]:
    """Return each contender's images per second, one for each round, in a random order."""
    names = [TUTORIAL, *([MIXED] if options.mixed else []), ONE, ALL, TWO]
    shuffled = Random(0)
    turns = [name for _ in range(options.rounds) for name in shuffled.sample(names, len(names))]
    speeds: dict[str, list[float]] = {name: [] for name in names}
    for name in track(turns, "epochs", console=PROGRESS, transient=True):
        speeds[name].append(timed(name, options))
    return speeds


def table_of(speeds: dict[str, list[float]], title: str) -> Table:
    """Return one row for each contender."""
    table = Table("contender", "images/s", "times the tutorial", "times one thread", title=title)
    for name, found in speeds.items():
        ratios = [_ratio(found, speeds[other]).in_words(2) for other in (TUTORIAL, ONE)]
        table.add_row(name, median_of(found).in_words(0), *ratios)
    return table


def _ratio(found: list[float], reference: list[float]) -> Median:
    return median_of([one / other for one, other in zip(found, reference, strict=True)])


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--backbone", choices=BACKBONES, default="resnet20", metavar="NAME")
    parser.add_argument("--images", type=positive, default=1800, help="of one epoch")
    parser.add_argument("--batch", type=positive, default=128)
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--device", type=device_of, default="cpu", help="cpu or cuda")
    parser.add_argument("--mixed", action="store_true", help="with the peer in mixed precision")
    parser.add_argument("--contender", help=SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Print one row for each contender."""
    options = parsed()
    if options.contender:
        run_one(options.contender, options)
        return
    speeds = speeds_of(options)
    title = (
        f"{options.backbone}, {options.images} images an epoch, batch {options.batch}, "
        f"{options.device}: medians (95 % intervals), n = {options.rounds} rounds"
    )
    found = {
        "backbone": options.backbone,
        "num_images": options.images,
        "batch": options.batch,
        "device": options.device.type,
        "num_rounds": options.rounds,
        "images_per_second": {n: asdict(median_of(one)) for n, one in speeds.items()},
        "ratio_to_tutorial": {
            n: asdict(_ratio(one, speeds[TUTORIAL])) for n, one in speeds.items()
        },
        "ratio_to_one_thread": {n: asdict(_ratio(one, speeds[ONE])) for n, one in speeds.items()},
    }
    publish(table_of(speeds, title), found, options.out)


if __name__ == "__main__":
    main()
