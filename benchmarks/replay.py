"""Which sampler, with which stopping rule, finds the best front soonest? Asked of real trainings.

    PYTHONPATH=. python -m benchmarks.replay [--options 6] [--replays 20] [--horizon 64]
        [--runs FILE] [--out FILE] [--figure FILE.png]

Every method sees only the trained grid (`benchmarks.grid.make`), and starts with the plain network
three times and each mechanism everywhere. An evaluation draws one of the architecture's trainings;
the score is the area above plain, left of 1.1 times the dearest baseline, at the mean of the
trainings that were not drawn. A method that stops trainings gets the epochs of the horizon's full
ones. Peers report the front of single raw values, as Optuna does, and for comparison the posterior
front of the same evaluations. Needs no GPU and no data; MOASHA needs the extra `peers`.

With --runs, replays that are done are kept and the same command goes on; --again does those of
some methods once more, after a change.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from space import Refusal

from .grid.grid import load
from .grid.rows import FOLDER, GridFiles
from .grid.subspace import BACKBONES, OPTIONS
from .replays.batch import add_options, by_method, completed, refuse_short
from .replays.comparison import compare
from .replays.comparison_table import lines_of, table_of
from .replays.draws import Scale
from .replays.play import reachable
from .replays.store import Task, do
from .replays.table import AVAILABLE


def tasks_of(options: Namespace) -> list[Task]:
    """Return every replay that is asked for; the options get the scale of the grid.

    Raises:
        Refusal: no such sub-grid is complete, or the horizon is too short.
    """
    files = GridFiles(options.backbone, options.folder)
    grid = load(files)
    whole = grid.largest() if options.options is None else grid.complete(options.options)
    if whole is None:
        raise Refusal(
            f"the grid in {files.rows} must be complete for {options.options or 2} options, got "
            f"{len(grid.entries)} architectures: python -m benchmarks.grid.make trains it"
        )
    options.scale = Scale(whole, options.cost)
    refuse_short(options.scale, options.horizon)
    facts = (files, len(whole.options), whole.fingerprint(), options.cost, options.horizon)
    return [
        Task(*facts, method, number)
        for number in range(options.replays)
        for method in options.methods
    ]


def add_own_options(parser: ArgumentParser) -> None:
    """Add what is asked of the grid."""
    counts = range(2, len(OPTIONS) + 1)
    parser.add_argument(
        "--options", type=int, choices=counts, help="of the grid; by default all that are whole"
    )
    parser.add_argument("--backbone", choices=BACKBONES, default="resnet8")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the grid is kept")
    parser.add_argument("--cost", choices=("macs", "params"), default="macs")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 2 on bad input, 1 if time ran out before every replay was done."""
    from .figures import parser_of, publish  # torch, which the processes do not need
    from .replays.figure import draw, panels_of

    parser = parser_of(__doc__)
    add_own_options(parser)
    add_options(parser, AVAILABLE, processes=2)
    options = parser.parse_args(arguments)
    try:
        tasks = tasks_of(options)
    except Refusal as error:
        print(error, file=sys.stderr)
        return 2
    done = completed(do, tasks, options)
    if len(done) < len(tasks):
        print(f"{len(done)} of {len(tasks)} replays are done: the same command goes on")
        return 1
    found = compare(by_method(done, tasks), options.scale, options.horizon)
    best = reachable(options.scale.grid, options.cost)
    scale = options.scale
    facts = {"reachable": best, "edge": scale.edge, "front": scale.front()}
    facts |= {"num_start": len(scale.start), **found.facts()}
    publish(table_of(found), facts, options.out, lines_of(found, best))
    if options.figure is not None:
        draw(panels_of(facts), options.figure)
    return 0


if __name__ == "__main__":
    sys.exit(main())
