"""What the grid's trainings say of noise, of early epochs, and of each option in each stage.

    PYTHONPATH=. python -m benchmarks.grid.facts [--options 3] [--out FILE]

Needs no GPU and no data.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from search.fidelity_table import closing, tables
from studies import Run, components, fidelity

from ..figures import parser_of, positive, publish
from .grid import Grid, load
from .rows import FOLDER, GridFiles


def effects(grid: Grid) -> dict[str, list[tuple[float, float]]]:
    """Return, for each option and stage, its mean effect over `none` there, and the error; points.

    Differences of the means of all networks with the one and with the other in that stage, which
    share everything else: a complete grid is balanced.
    """
    means = {one.name: 100 * one.mean for one in grid.entries}
    found: dict[str, list[tuple[float, float]]] = {}
    for option in grid.options[1:]:
        for stage in range(3):
            changes = np.array(
                [
                    value - means[_with(name, stage, "none")]
                    for name, value in means.items()
                    if name.split("/")[stage] == option
                ]
            )
            error = float(changes.std(ddof=1)) / len(changes) ** 0.5
            found.setdefault(option, []).append((float(changes.mean()), error))
    return found


def _with(name: str, stage: int, option: str) -> str:
    parts = name.split("/")
    parts[stage] = option
    return "/".join(parts)


def effects_table(found: dict[str, list[tuple[float, float]]]) -> Table:
    """Return the effects as a table."""
    table = Table(title="mean effect over nothing in that stage, points", title_justify="left")
    for name in ("option", "stage 1", "stage 2", "stage 3"):
        table.add_column(name, justify="left" if name == "option" else "right")
    for option, row in found.items():
        table.add_row(option, *(f"{mean:+.2f} ± {error:.2f}" for mean, error in row))
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return 2 if no sub-grid is complete."""
    parser = parser_of(__doc__)
    parser.add_argument("--options", type=positive, help="by default all that are whole")
    parser.add_argument("--backbone", choices=("resnet8", "resnet20"), default="resnet8")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    grid = load(GridFiles(options.backbone, options.folder))
    whole = grid.largest() if options.options is None else grid.complete(options.options)
    if whole is None:
        print("no such sub-grid is complete: benchmarks.grid.make trains it", file=sys.stderr)
        return 2
    runs = {one.name: [Run(run.curve, run.accuracy) for run in one.runs] for one in whole.entries}
    varied = components({key: [one.accuracy for one in some] for key, some in runs.items()})
    ranked, worth = fidelity(runs), effects(whole)
    assert varied is not None, "a complete grid has several networks with several seeds"
    console = Console(width=118)
    for table in tables(ranked):
        console.print(table)
    console.print(closing(ranked))
    lines = [
        f"{len(runs)} networks of {len(whole.options)} options, {ranked.num_runs} seeds each",
        *(
            f"{name}: {100 * one.sd:.2f} points ({100 * one.low:.2f} to {100 * one.high:.2f})"
            for name, one in (("between networks", varied.between), ("between seeds", varied.seed))
        ),
    ]
    facts: dict[str, object] = {
        "components": asdict(varied),
        "fidelity": asdict(ranked),
        "effects": worth,
    }
    publish(effects_table(worth), facts, options.out, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
