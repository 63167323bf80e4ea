"""A table of comparisons with plain that fits its console: no number is ever cut.

Where the console is narrow, an interval stands in several lines and what may be left out is: the
same facts are in the JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

WIDE = 132  # columns, from which every interval fits into one line beside a network's name
BREAKS = {" (": "\n(", " to ": " to\n", " ± ": "\n± ", ", ": ",\n"}  # of a narrow cell


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers; one that is `spare` is left out of a narrow table."""

    label: str
    spare: bool = False


def comparison_table(
    title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int
) -> Table:
    """Return the table for a console of this width; each row begins with the network's name."""
    is_wide = width >= WIDE
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("network")
    kept = [number for number, one in enumerate(columns, 1) if is_wide or not one.spare]
    for number in kept:
        label = columns[number - 1].label
        table.add_column(label if is_wide else _stacked(label), justify="right", no_wrap=True)
    for name, *cells in rows:
        shown = [cells[number - 1] for number in kept]
        table.add_row(name, *(shown if is_wide else map(_stacked, shown)))
    return table


def _stacked(text: str) -> str:
    """Return `+1.46 (-0.40 to +3.31)` in three lines, and the like, broken at blanks only."""
    for blank, broken in BREAKS.items():
        text = text.replace(blank, broken)
    return text
