"""Which sampler, with which stopping rule, finds the best front soonest? Asked of real trainings.

    PYTHONPATH=. python -m benchmarks.replay [--options 6] [--replays 20] [--horizon 64]
        [--runs FILE] [--out FILE]

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
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from space import Refusal

from .grid.grid import load
from .grid.rows import FOLDER, GridFiles
from .grid.subspace import BACKBONES, OPTIONS
from .parallel import in_processes
from .replays.comparison import compare
from .replays.comparison_table import lines_of, table_of
from .replays.draws import Scale
from .replays.play import Played, reachable
from .replays.store import Task, do, store, stored
from .replays.table import AVAILABLE


def completed(tasks: Sequence[Task], options: Namespace) -> dict[str, list[Played]]:
    """Do the replays that the file lacks; return all that are done, by their method."""
    done = stored(options.runs, [one for one in tasks if one.method not in options.again])
    missing = [one for one in tasks if one not in done]
    seconds = None if options.minutes is None else 60 * options.minutes
    started = time.monotonic()
    found = in_processes(do, missing, processes=options.processes, seconds=seconds)
    for count, (task, played) in enumerate(found, 1):
        store(options.runs, task, played)
        done[task] = played
        left = (time.monotonic() - started) / count * (len(missing) - count)
        print(f"{task.method}, replay {task.replay}; {left:.0f} s left", file=sys.stderr)
    by_method = defaultdict(list)
    for task, played in done.items():
        by_method[task.method].append(played)
    return by_method


def tasks_of(options: Namespace) -> list[Task]:
    """Return every replay that is asked for; the options get the scale of the grid.

    Raises:
        Refusal: no such sub-grid is complete.
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
    facts = (files, len(whole.options), whole.fingerprint(), options.cost, options.horizon)
    return [
        Task(*facts, method, number)
        for number in range(options.replays)
        for method in options.methods
    ]


def methods_of(text: str) -> tuple[str, ...]:
    """Return the methods of an option."""
    names = tuple(text.split(","))
    for name in names:
        if name not in AVAILABLE:
            raise ArgumentTypeError(f"must be among {', '.join(AVAILABLE)}, got {name}")
    return names


def add_options(parser: ArgumentParser) -> None:
    """Add what is asked for."""
    from .figures import positive, positive_minutes  # torch, as in main

    counts = range(2, len(OPTIONS) + 1)
    parser.add_argument(
        "--options", type=int, choices=counts, help="of the grid; by default all that are whole"
    )
    parser.add_argument("--backbone", choices=BACKBONES, default="resnet8")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the grid is kept")
    parser.add_argument("--cost", choices=("macs", "params"), default="macs")
    parser.add_argument("--horizon", type=positive, default=64, help="trainings of a replay")
    parser.add_argument("--replays", type=positive, default=20, help="of each method")
    parser.add_argument("--methods", type=methods_of, default=AVAILABLE, metavar="A,B")
    parser.add_argument("--again", type=methods_of, default=(), metavar="A,B")
    parser.add_argument("--runs", type=Path, metavar="FILE", help="replays done, as lines")
    parser.add_argument(
        "--minutes", type=positive_minutes, help="stop then; the same command goes on"
    )
    parser.add_argument("--processes", type=positive, default=2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 2 on bad input, 1 if time ran out before every replay was done."""
    from .figures import parser_of, publish  # torch, which the processes do not need

    parser = parser_of(__doc__)
    add_options(parser)
    options = parser.parse_args(arguments)
    try:
        tasks = tasks_of(options)
    except Refusal as error:
        print(error, file=sys.stderr)
        return 2
    played = completed(tasks, options)
    num_done = sum(map(len, played.values()))
    if num_done < len(tasks):
        print(f"{num_done} of {len(tasks)} replays are done: the same command goes on")
        return 1
    found = compare(played, options.scale, options.horizon)
    best = reachable(options.scale.grid, options.cost)
    facts = {"reachable": best, "edge": options.scale.edge, "front": options.scale.front()}
    publish(table_of(found), {**facts, **found.facts()}, options.out, lines_of(found, best))
    return 0


if __name__ == "__main__":
    sys.exit(main())
