"""Is accuracy traded for speed? Two arms with equal seeds, and the interval of their difference.

    python -m benchmarks.accuracy --compare loops|precision [--seeds 10] [--device cuda]

`loops`: our loop, in the precision that it has on the device, against the tutorials' in fp32.
`precision`: our loop in bf16 against fp32; a CPU without bf16 hardware computes the products as
such hardware does (benchmarks/rounded.py). Both arms have equal first weights by seed, training
and validation images, epochs, batch and peak learning rate; what a study uses by default.
Accuracy is of the last epoch, on validation images. The interval is of seeds: other validation
images are not in it. With `--runs FILE` and `--minutes N` it ends in time and can be continued.
"""

from argparse import Namespace
from dataclasses import asdict
from statistics import mean

import torch
from rich.table import Table

from search.config import NUM_TRAIN, Precision, Protocol, config_of
from search.defaults import with_defaults
from search.executors.environments import num_cores
from search.training.device import resolve_device

from .differences import POINTS, paired, unpaired
from .figures import positive, publish
from .runs import Runs, completed, resumable_options, resumable_parser
from .timing import precision_on
from .trainings import OURS, ROUNDED, TUTORIAL, Training

LIMIT = 0.005  # what counts as no difference, in accuracy from 0 to 1
MOST_IMAGES = 20_000
MIN_SEEDS = 2  # a deviation needs two
GPU_PROCESSES = 5  # side by side on one GPU: its host is what a small network waits for
Arms = dict[str, list[Training]]  # by name; the difference is the first minus the second


def protocol_of(options: Namespace, precision: Precision) -> Protocol:
    """Return a study's protocol on this device, with the given images and epochs."""
    images = options.images or min(MOST_IMAGES, NUM_TRAIN[options.dataset])
    given = {"dataset": options.dataset, "backbone": options.backbone, "train_images": images}
    if options.epochs is not None:
        given["epochs"] = options.epochs
    return config_of(with_defaults(given, options.device.type, precision)).protocol


def arms_of(options: Namespace) -> Arms:
    """Return both arms of the comparison, a training for each seed."""
    usual = precision_on(options.device)
    if options.compare == "loops":
        return {
            "ours": _arm(options, OURS, usual),
            "tutorial": _arm(options, TUTORIAL, "float32"),
        }
    bfloat16 = OURS if _has_bfloat16(options.device) else ROUNDED
    return {
        "bfloat16": _arm(options, bfloat16, "bfloat16"),
        "float32": _arm(options, OURS, "float32"),
    }


def _arm(options: Namespace, loop: str, precision: Precision) -> list[Training]:
    protocol, device = protocol_of(options, precision), options.device.type
    seeds = range(options.seeds)
    return [Training(loop, options.backbone, seed, protocol, device) for seed in seeds]


def _has_bfloat16(device: torch.device) -> bool:
    return resolve_device(device.type).precision == "bfloat16"


def accuracies_of(arms: Arms, done: Runs) -> dict[str, list[float]]:
    """Return the accuracy after the last epoch, by arm, in the order of the seeds."""
    return {name: [done[one].accuracies[-1] for one in arm] for name, arm in arms.items()}


def table_of(accuracies: dict[str, list[float]], title: str) -> Table:
    """Return one row for each arm."""
    table = Table("arm", "mean accuracy, %", "lowest", "highest", title=title)
    for name, found in accuracies.items():
        figures = (mean(found), min(found), max(found))
        table.add_row(name, *(f"{POINTS * one:.2f}" for one in figures))
    return table


def publish_difference(arms: Arms, done: Runs, options: Namespace) -> None:
    """Print the arms, both intervals and the verdict; write all accuracies, if asked."""
    accuracies = accuracies_of(arms, done)
    first, second = accuracies.values()
    by_seed, apart = paired(first, second), unpaired(first, second)
    verdict = "within" if by_seed.within(LIMIT) else "NOT within"
    lines = [
        f"{' − '.join(arms)}, 95 % interval: {by_seed.in_words()} paired by seed, "
        f"{apart.in_words()} unpaired",
        f"the paired interval lies {verdict} ±{POINTS * LIMIT:g} points",
    ]
    found = {
        "arms": {name: arm[0].facts() for name, arm in arms.items()},
        "accuracies": accuracies,
        "paired_difference": asdict(by_seed),
        "unpaired_difference": asdict(apart),
        "limit": LIMIT,
        "is_within_limit": by_seed.within(LIMIT),
    }
    protocol = next(iter(arms.values()))[0].protocol
    title = (
        f"{options.backbone}, {protocol.train_images:,} images of {protocol.dataset}, "
        f"{protocol.epochs} epochs, {options.device}: n = {options.seeds} seeds"
    )
    publish(table_of(accuracies, title), found, options.out, lines)


def parsed() -> Namespace:
    """Return the options."""
    parser = resumable_parser(__doc__, backbone="resnet8")
    parser.add_argument("--compare", choices=("loops", "precision"), required=True)
    parser.add_argument("--epochs", type=positive, help="a study's on the device, if not given")
    parser.add_argument("--processes", type=positive, help="one for each core; 5 on a GPU")
    options = resumable_options(parser)
    if options.seeds < MIN_SEEDS:
        parser.error(f"--seeds must be at least {MIN_SEEDS} for an interval, got {options.seeds}")
    on_gpu = options.device.type == "cuda"
    options.processes = options.processes or (GPU_PROCESSES if on_gpu else num_cores())
    return options


def main() -> None:
    """Do the trainings that are missing, then print the difference of the arms."""
    torch.set_num_threads(1)
    options = parsed()
    arms = arms_of(options)
    by_seed = [one for pair in zip(*arms.values(), strict=True) for one in pair]
    done = completed(by_seed, options, options.processes)
    if len(done) == len(by_seed):
        publish_difference(arms, done, options)


if __name__ == "__main__":
    main()
