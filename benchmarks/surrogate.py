"""Which sampler finds the best front of the whole space soonest? Asked of a random forest.

    PYTHONPATH=. python -m benchmarks.surrogate [--ratio 2,1,0.5] [--replays 20] [--horizon 64]
        [--runs FILE] [--out FILE] [--figure FILE.png]

The second panel of `benchmarks.replay`: all mechanisms, places and hyperparameters of ResNet-8.
The truth of an architecture is what a forest predicts that was fitted to real trainings: the
grid's, and a study's of the whole space (--study names another than the one that is kept). The
truths' deviation over random architectures is the ratio times the noise of a training, 1 point.
All methods start with plain three times and the baselines (at most a third of the horizon), and
meet the same luck. Methods that stop trainings are left out: a forest predicts no curves. Time
is not simulated either. Needs no GPU and no data, but scikit-learn of the extra `peers`.

With --runs, replays that are done are kept and the same command goes on; --again does those of
some methods once more, after a change.
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from importlib.util import find_spec
from math import inf, nan
from pathlib import Path

from rich.console import Group

from space import Refusal

from .grid.rows import FOLDER, GridFiles
from .grid.subspace import OPTIONS
from .replays.batch import add_options, by_method, completed, refuse_short
from .replays.comparison import compare
from .surrogates.facts import panel_facts, truth_facts, truth_in_words
from .surrogates.methods import METHODS
from .surrogates.source import BACKBONE, Source, Task, do, forest_of, ground_of
from .surrogates.tables import tables_of
from .surrogates.whole_space import WholeSpace

LEGEND = (
    "trusted: of who takes, at each cost, what the front claims to be best up to it. "
    "all: of everything trained. claim, best, run: points that are claimed too much, of the "
    "front's networks, of its best, and of the best single run"
)


def ratios_of(text: str) -> tuple[float, ...]:
    """Return the ratios of an option."""

    def ratio(part: str) -> float:
        try:
            found = float(part)
        except ValueError:
            found = nan
        if not 0 < found < inf:
            raise ArgumentTypeError(f"must be numbers above 0, got {part}")
        return found

    return tuple(dict.fromkeys(map(ratio, text.split(","))))


def tasks_of(options: Namespace, source: Source) -> list[Task]:
    """Return every replay that is asked for, the replays of one number together.

    Raises:
        Refusal: the sub-grid is not whole, there is no such study, the horizon is too short, or
            scikit-learn is missing.
    """
    if find_spec("sklearn") is None:
        raise Refusal("the surrogate needs scikit-learn, got none: pip install -e '.[peers]'")
    forest = forest_of(source)
    refuse_short(WholeSpace(forest.catalogue, forest.gains, options.horizon), options.horizon)
    fingerprint = forest.fingerprint()
    return [
        Task(source, fingerprint, ratio, options.horizon, method, number)
        for number in range(options.replays)
        for ratio in options.ratio
        for method in options.methods
    ]


def add_own_options(parser: ArgumentParser) -> None:
    """Add what is asked of the truths."""
    parser.add_argument("--ratio", type=ratios_of, default=(2.0, 1.0, 0.5), metavar="A,B")
    parser.add_argument(
        "--options", type=int, choices=range(2, len(OPTIONS) + 1), help="as of benchmarks.replay"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the grid is kept")
    parser.add_argument("--study", metavar="sqlite:///FILE", help="a study of ResNet-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return 2 on bad input, 1 if time ran out before every replay was done."""
    from .figures import parser_of, publish  # torch, which the processes do not need
    from .replays.figure import draw, panels_of

    parser = parser_of(__doc__)
    add_own_options(parser)
    add_options(parser, tuple(METHODS), processes=1)
    options = parser.parse_args(arguments)
    source = Source(GridFiles(BACKBONE, options.folder), options.options, options.study)
    try:
        tasks = tasks_of(options, source)
    except Refusal as error:
        print(error, file=sys.stderr)
        return 2
    done = completed(do, tasks, options)
    if len(done) < len(tasks):
        print(f"{len(done)} of {len(tasks)} replays are done: the same command goes on")
        return 1
    tables, panels = [], []
    for ratio in options.ratio:
        ground = ground_of(source, ratio, options.horizon)
        played = by_method(done, [one for one in tasks if one.ratio == ratio])
        found = compare(played, ground, options.horizon)
        panels.append(panel_facts(found, ground, ratio))
        tables.append(tables_of(found, ratio, panels[-1]["reachable"]))
    facts = {**truth_facts(forest_of(source)), "panels": panels}
    publish(Group(*tables), facts, options.out, [LEGEND, truth_in_words(facts)])
    if options.figure is not None:
        draw(panels_of(facts), options.figure)
    return 0


if __name__ == "__main__":
    sys.exit(main())
