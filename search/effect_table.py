"""What each mechanism does in each stage, on the screen and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from space import MECHANISMS
from studies.effects.by_stage import Cell, Effect, distinguishable
from studies.effects.map import certainty, cost_words
from studies.effects.words import counted, in_points, name
from studies.verdicts import NAMES

from .dead_modules import Dead
from .explanation import Explanation

FORMATS = ("table", "json")


def print_all(console: Console, found: Explanation, title: str) -> None:
    """Print the tables and, at the end, what can be concluded."""
    console.print(effect_table(found, title))
    console.print(effect_legend(found), markup=False)
    console.print(importance_table(found))
    console.print(dead_line(found.dead) or dead_table(found.dead), markup=False)
    console.print(found.conclusion, markup=False)


def effect_table(found: Explanation, title: str) -> Table:
    """Return a row for each mechanism and a column for each stage."""
    table = _table(title)
    table.add_column("mechanism")
    for stage in found.search_space.stages:
        table.add_column(f"stage {stage.number}", justify="right")
    sure = distinguishable(found.effects)
    cells = {*found.effects.untried, *(one.cell for one in found.effects.known)}
    for kind in MECHANISMS:
        row = [Cell(stage.number, kind) for stage in found.search_space.stages]
        if cells.intersection(row):
            table.add_row(kind, *(_cell(found, cell, sure) for cell in row))
    return table


def effect_legend(found: Explanation) -> str:
    """Return how to read the table."""
    return (
        "points ± standard error; n trainings with it there; what one placement adds to the "
        f"{NAMES[found.front.cost_name]}. * differs from zero, all judged together; in brackets: "
        "the 95 % interval holds zero; blank: never trained; -: not proposed"
    )


def importance_table(found: Explanation) -> Table:
    """Return a row for the choice in each stage."""
    table = _table("Importance of the choice in each stage")
    table.add_column("choice")
    for column in (
        "options tried",
        "sd of the effects, points",
        "errors may add",
        "share",
        "matters most",
        f"share of the {NAMES[found.front.cost_name]}",
    ):
        table.add_column(column, justify="right")
    for one in found.importances:
        table.add_row(
            one.parameter,
            str(one.num_options),
            f"{100 * one.known:.2f}",
            f"{100 * one.unknown:.2f}",
            f"{100 * one.share:.0f} %",
            f"{one.probability_first:.2f}",
            f"{100 * one.cost_share:.0f} %",
        )
    return table


def dead_table(found: Sequence[Dead]) -> Table:
    """Return a row for each mechanism and stage with modules that ended without effect."""
    table = _table("Attention that ended without effect")
    table.add_column("where", no_wrap=True)
    table.add_column("trainings", justify="right", no_wrap=True)
    table.add_column("modules", justify="right", no_wrap=True)
    table.add_column("reason (of the first)")
    for one in found:
        if one.num_dead:
            trainings = f"{one.num_dead} of {one.num_trainings}"
            modules = f"{one.num_dead_modules} of {one.num_modules}"
            table.add_row(name(one.cell), trainings, modules, one.reason)
    return table


def dead_line(found: Sequence[Dead]) -> str | None:
    """Return what is said instead of a table without rows; None where there are some."""
    if not found:
        return "attention without effect: unknown, since no training has stored what its gates did"
    if any(one.num_dead for one in found):
        return None
    modules = counted(sum(one.num_modules for one in found), "module")
    return f"attention without effect: none of {modules}"


def as_json(found: Explanation, ablations: Sequence[Mapping[str, object]]) -> str:
    """Return everything; accuracies and shares from 0 to 1."""
    sure, noise = distinguishable(found.effects), found.front.noise
    data = {
        "cost": found.front.cost_name,
        "effects": [
            {
                **_flat(asdict(one)),
                "includes_zero": one.includes_zero,
                "is_distinguishable": one in sure,
            }
            for one in found.effects.known
        ],
        "untried": [asdict(cell) for cell in found.effects.untried],
        "importances": [asdict(one) for one in found.importances],
        "gates": [_flat(asdict(one)) for one in found.dead],
        "ablations": list(ablations),
        "noise": noise and asdict(noise),
        "num_trainings": found.front.num_trainings,
        "conclusion": found.conclusion,
    }
    return json.dumps(data, indent=2)


def _cell(found: Explanation, cell: Cell, sure: Sequence[Effect]) -> str:
    effect = found.effects.of(cell)
    if effect is None:
        return "" if cell in found.effects.untried else "-"
    value = in_points(effect.mean, effect.standard_error)
    shown = {"sure": f"[bold]{value} *[/bold]", "alone": value, "open": f"[dim]({value})[/dim]"}
    front = found.front
    added = cost_words(effect, front.cost_name, front.plain_cost)
    return f"{shown[certainty(effect, sure)]} n {effect.num_trainings}\n[dim]{added}[/dim]"


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold")


def _flat(data: dict[str, object]) -> dict[str, object]:
    """Return the fields with those of the cell in its place."""
    cell = data.pop("cell")
    assert isinstance(cell, dict)
    return {**cell, **data}
