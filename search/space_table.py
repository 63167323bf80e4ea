"""A searched space on the screen and in the documentation: its size and what modules cost."""

import json

from rich.table import Table

from space import (
    Cost,
    CostRow,
    ModuleCost,
    SearchSpace,
    backbone,
    block_costs,
    cost_range,
    cost_table,
    count_in_words,
)

FORMATS = ("table", "markdown", "json")
LEGEND = (
    "MACs / params of one module on the stage's own map, each mechanism at its published setting; "
    "in brackets where the search does not propose that setting."
)


def size_line(search_space: SearchSpace) -> str:
    """Return how many networks there are, and from what to what they cost."""
    least, most = cost_range(search_space)
    return (
        f"{search_space.backbone}: {search_space.size():,} architectures, "
        f"{count_in_words(least.macs)} to {count_in_words(most.macs)} MACs, "
        f"{count_in_words(least.params)} to {count_in_words(most.params)} params"
    )


def header(name: str) -> tuple[str, ...]:
    """Return the names of the columns: the mechanism, then each stage with its map."""
    shapes = enumerate(backbone(name).shapes(), start=1)
    return ("mechanism", "usual place", *(f"stage {n}, {shape}" for n, shape in shapes))


def lines(name: str) -> list[tuple[str, ...]]:
    """Return the table's cells as text; first, to compare with, a block without attention."""
    bare = ("one plain block", "", *map(_in_words, block_costs(name)))
    return [bare, *(_line(row) for row in cost_table(name))]


def screen_table(name: str) -> Table:
    """Return the table for a console."""
    table = Table(title=LEGEND, title_justify="left")
    for column in header(name):
        table.add_column(column, justify="right" if column.startswith("stage") else "left")
    for line in lines(name):
        table.add_row(*line)
    return table


def markdown_table(name: str) -> str:
    """Return the table as the documentation holds it."""
    head = header(name)
    rule = ["---:" if column.startswith("stage") else "---" for column in head]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines(name)))


def as_json(search_space: SearchSpace) -> str:
    """Return the size, the range and every cell with its reason."""
    least, most = cost_range(search_space)
    mechanisms = {
        row.kind: {
            "setting": row.what,
            "usual_position": row.usual_position,
            "stages": [_json_cell(cell) for cell in row.cells],
        }
        for row in cost_table(search_space.backbone)
    }
    document = {
        "backbone": search_space.backbone,
        "architectures": search_space.size(),
        "least": _json_cost(least),
        "most": _json_cost(most),
        "mechanisms": mechanisms,
    }
    return json.dumps(document, indent=2)


def _line(row: CostRow) -> tuple[str, ...]:
    place = row.usual_position.replace("_", " ")
    return (row.what, place, *(_cell(cell) for cell in row.cells))


def _cell(cell: ModuleCost | None) -> str:
    if cell is None:
        return "none"
    text = _in_words(cell.cost)
    return f"({text})" if cell.reason_unproposed else text


def _in_words(price: Cost) -> str:
    return f"{count_in_words(price.macs)} / {count_in_words(price.params)}"


def _json_cell(cell: ModuleCost | None) -> dict[str, object] | None:
    if cell is None:
        return None
    return {**_json_cost(cell.cost), "reason_unproposed": cell.reason_unproposed}


def _json_cost(price: Cost) -> dict[str, int]:
    return {"macs": price.macs, "params": price.params}
