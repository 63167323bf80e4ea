"""Seconds and epochs in which our loop takes a plain network to a validation accuracy.

    python -m benchmarks.time_to_accuracy [--accuracy 0.94] [--epochs 12 15 18 24] [--device cuda]

The learning rate's one cycle is fixed by its length, so each number of epochs is a training of its
own. The smallest of those given with which all seeds end at the accuracy or above is reported;
longer ones are not tried then. Batch, rate and precision are a study's defaults on the device, and
trainings run one by one in one thread. Seconds are of all epochs, validation included; start-up
is apart (benchmarks/start_up.py).

The accuracy is of 5,000 validation images, trained on the other 45,000: it is not comparable with
speed records, which train on all 50,000 and read the test set.
"""

from argparse import Namespace
from dataclasses import asdict, dataclass

import torch
from rich.table import Table

from search.config import NUM_TRAIN, config_of
from search.defaults import with_defaults
from search.training.device import resolve_device

from .figures import Median, median_of, positive, publish
from .runs import completed, resumable_options, resumable_parser
from .trainings import OURS, Trained, Training

GRID = (12, 15, 18, 24)


@dataclass(frozen=True, slots=True)
class Row:
    """What all seeds came to with one number of epochs; accuracies from 0 to 1."""

    epochs: int
    num_reached: int
    accuracies: tuple[float, ...]
    seconds: Median

    @property
    def is_enough(self) -> bool:
        """Say whether every seed reached the accuracy."""
        return self.num_reached == len(self.accuracies)


def trainings_of(options: Namespace, epochs: int) -> list[Training]:
    """Return a training for each seed."""
    device = options.device.type
    given = {
        "dataset": options.dataset,
        "backbone": options.backbone,
        "train_images": options.images or NUM_TRAIN[options.dataset],
        "epochs": epochs,
    }
    precision = resolve_device(device).precision
    protocol = config_of(with_defaults(given, device, precision)).protocol
    seeds = range(options.seeds)
    return [Training(OURS, options.backbone, seed, protocol, device) for seed in seeds]


def row_of(epochs: int, found: list[Trained], accuracy: float) -> Row:
    """Return how many of the trainings ended at the accuracy or above, and their seconds."""
    ends = tuple(one.accuracies[-1] for one in found)
    seconds = median_of([sum(one.seconds) for one in found])
    return Row(epochs, sum(end >= accuracy for end in ends), ends, seconds)


def rows_of(options: Namespace) -> list[Row] | None:
    """Return a row for each number of epochs up to the first that is enough; None if cut short."""
    rows: list[Row] = []
    for epochs in sorted(options.epochs):
        trainings = trainings_of(options, epochs)
        done = completed(trainings, options, processes=1)
        if len(done) < len(trainings):
            return None
        rows.append(row_of(epochs, [done[one] for one in trainings], options.accuracy))
        if rows[-1].is_enough:
            break
    return rows


def table_of(rows: list[Row], title: str) -> Table:
    """Return the rows for the screen."""
    table = Table("epochs", "reached it", "accuracies, %", "seconds", title=title)
    for row in rows:
        ends = f"{100 * min(row.accuracies):.2f} to {100 * max(row.accuracies):.2f}"
        reached = f"{row.num_reached} of {len(row.accuracies)}"
        table.add_row(str(row.epochs), reached, ends, row.seconds.in_words(1))
    return table


def verdict(rows: list[Row], accuracy: float) -> str:
    """Return the smallest number of epochs that is enough, in words."""
    goal, last = f"{100 * accuracy:g} % validation accuracy", rows[-1]
    if not last.is_enough:
        return f"{goal}: no number of epochs was enough for all seeds; try more"
    return f"{goal} with all seeds: {last.epochs} epochs, {last.seconds.in_words(1)} s"


def parsed() -> Namespace:
    """Return the options."""
    parser = resumable_parser(__doc__, backbone="resnet18")
    parser.add_argument("--accuracy", type=float, default=0.94, help="from 0 to 1")
    parser.add_argument("--epochs", type=positive, nargs="+", default=GRID, metavar="N")
    options = resumable_options(parser)
    if not 0 < options.accuracy < 1:
        parser.error(f"--accuracy must be between 0 and 1, got {options.accuracy}")
    return options


def main() -> None:
    """Do the trainings that are missing, then print what each number of epochs came to."""
    torch.set_num_threads(1)
    options = parsed()
    rows = rows_of(options)
    if rows is None:
        return
    protocol = trainings_of(options, rows[-1].epochs)[0].protocol
    title = (
        f"{options.backbone}, {protocol.train_images:,} images of {protocol.dataset}, batch "
        f"{protocol.batch_size}, {protocol.precision} on {options.device}: n = {options.seeds}"
    )
    found = {
        "backbone": options.backbone,
        "device": options.device.type,
        "protocol": protocol.model_dump(mode="json", exclude={"epochs"}),
        "accuracy": options.accuracy,
        "is_reached": rows[-1].is_enough,
        "rows": [asdict(row) for row in rows],
    }
    publish(table_of(rows, title), found, options.out, [verdict(rows, options.accuracy)])


if __name__ == "__main__":
    main()
