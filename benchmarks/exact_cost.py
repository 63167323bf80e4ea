"""Is the closed form of the cost exact, and how much quicker is it than counting a network?

    python -m benchmarks.exact_cost [--number 1000] [--backbones resnet20,resnet18]

Each random architecture is priced by `space.cost` and counted by `backbones.measure`, which
builds the network without drawing its weights and traces it. Both are timed on each architecture
in turn, in one thread; only the plain network has been counted before. The first difference ends
it with status 1.
"""

import json
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from random import Random
from time import perf_counter

import torch
from rich.progress import track
from rich.table import Table

from backbones import measure
from space import (
    BACKBONES,
    Architecture,
    Cost,
    SearchSpace,
    cost,
    placements_in_words,
    plain,
    random_architecture,
)

from .figures import Median, median_of, parser_of, positive, publish, write
from .timing import PROGRESS

DEFAULT = "resnet20,resnet18,resnet50,resnet14w64"
ALL = "all"


@dataclass(frozen=True, slots=True)
class Counted:
    """One architecture's cost in closed form and counted, with the seconds each took."""

    architecture: Architecture
    closed: Cost
    counted: Cost
    closed_seconds: float
    counted_seconds: float


@dataclass(frozen=True, slots=True)
class Row:
    """Seconds for one architecture, and how many times quicker the closed form is."""

    backbone: str
    closed_seconds: Median
    counted_seconds: Median
    times_quicker: Median


def counted(names: tuple[str, ...], number: int) -> Iterator[Counted]:
    """Yield random architectures, the backbones in turn, priced and counted."""
    generator = Random(0)
    spaces = [SearchSpace(backbone=name) for name in names]
    for name in names:
        cost(plain(name))
        measure(plain(name))
    for index in range(number):
        yield both_ways(random_architecture(generator, spaces[index % len(spaces)]))


def both_ways(architecture: Architecture) -> Counted:
    """Price the architecture, then count it."""
    started = perf_counter()
    closed = cost(architecture)
    priced = perf_counter()
    found = measure(architecture)
    ended = perf_counter()
    traced = Cost(found.macs, found.params)
    return Counted(architecture, closed, traced, priced - started, ended - priced)


def first_difference(one: Counted) -> dict[str, object]:
    """Return what is needed to see a difference again."""
    return {
        "words": placements_in_words(one.architecture),
        "architecture": one.architecture.model_dump(mode="json"),
        "closed": asdict(one.closed),
        "counted": asdict(one.counted),
    }


def rows_of(done: list[Counted]) -> list[Row]:
    """Return a row for each backbone, and one for all."""
    names = dict.fromkeys(one.architecture.backbone for one in done)
    groups = {name: [one for one in done if one.architecture.backbone == name] for name in names}
    return [
        Row(
            name,
            median_of([one.closed_seconds for one in group]),
            median_of([one.counted_seconds for one in group]),
            median_of([one.counted_seconds / one.closed_seconds for one in group]),
        )
        for name, group in {**groups, ALL: done}.items()
    ]


def table_of(rows: list[Row]) -> Table:
    """Return the rows for the screen."""
    title = "seconds for one architecture: median (95 % interval)"
    table = Table("backbone", "n", "closed form, µs", "counted, ms", "times quicker", title=title)
    for row in rows:
        table.add_row(
            row.backbone,
            str(row.times_quicker.num_measured),
            row.closed_seconds.in_words(0, 1e6),
            row.counted_seconds.in_words(0, 1e3),
            row.times_quicker.in_words(0),
        )
    return table


def backbones_of(text: str) -> tuple[str, ...]:
    """Return the names of an option."""
    names = tuple(text.split(","))
    for name in names:
        if name not in BACKBONES:
            raise ArgumentTypeError(f"must be among {', '.join(BACKBONES)}, got {name}")
    return names


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--number", type=positive, default=1000)
    parser.add_argument("--backbones", type=backbones_of, default=DEFAULT, metavar="A,B")
    return parser.parse_args()


def main() -> int:
    """Print how many are equal and how long each way takes; return 1 at the first difference."""
    torch.set_num_threads(1)
    options = parsed()
    done: list[Counted] = []
    todo = counted(options.backbones, options.number)
    for one in track(todo, "architectures", options.number, console=PROGRESS, transient=True):
        if one.closed != one.counted:
            found = {"num_equal": len(done), "first_difference": first_difference(one)}
            write(found, options.out)
            print(json.dumps(found, indent=2))
            return 1
        done.append(one)
    rows = rows_of(done)
    facts = {"num_equal": len(done), "rows": [asdict(row) for row in rows]}
    verdict = f"{len(done):,} of {options.number:,} equal to the integer, in MACs and parameters"
    publish(table_of(rows), facts, options.out, [verdict])
    return 0


if __name__ == "__main__":
    sys.exit(main())
