"""No name and no number of a comparison is cut, however narrow the console."""

from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table

from search import baselines_table
from search.baselines import Row
from search.comparison_table import WIDE
from search.confirm import table as confirm_table
from search.reporting import MIN_WIDTH
from space import Architecture, SearchSpace, baselines, cost, plain
from studies.confirmation.comparison import Arm, Claim, Confirmation, Interval, Role
from studies.confirmation.stored import ArmResult, Confirmed

ROLES: tuple[Role, ...] = ("plain", *("finalist",) * 6)
WIDTHS = (80, 100, WIDE, MIN_WIDTH)
GAIN = Interval(-0.1234, -0.2345, 0.1111)
PLAIN, USUAL = plain("resnet8"), baselines(SearchSpace(backbone="resnet8"))
CLAIM = Claim(accuracy=0.5, standard_error=0.1, gain=0.1234, gain_error=0.1, num_evaluations=2)
TUTORIALS = ("se", "cbam", "non_local", "dual", "criss_cross", "gam")


def rows_of(table: Table, width: int) -> list[list[str]]:
    """Return the cells as a console of this width shows them, their lines joined by blanks."""
    screen = StringIO()
    Console(file=screen, width=width).print(table)
    lines = screen.getvalue().splitlines()
    assert all(len(one) <= width for one in lines)
    rows: list[list[list[str]]] = []
    for line in lines:
        if not line.startswith("│"):
            continue
        cells = [one.strip() for one in line.strip("│").split("│")]
        if cells[-1]:  # the last column is of one line: a row begins
            rows.append([[] for _ in cells])
        for old, new in zip(rows[-1], cells, strict=True):
            old.extend([new] if new else [])
    return [[" ".join(one) for one in row] for row in rows]


def confirmed() -> Confirmed:
    networks: list[Architecture] = [PLAIN, *(USUAL[kind] for kind in TUTORIALS)]
    arms = tuple(
        Arm(role=role, architecture=one, seeds=(1, 2), claim=CLAIM)
        for role, one in zip(ROLES, networks, strict=True)
    )
    plan = Confirmation(
        epochs=1, num_images=9, protocol_digest="a", own_digest="b", fresh_seeds=(), arms=arms
    )
    results = tuple(
        ArmResult(one, cost(one.architecture), (0.9, 0.9), None if not n else GAIN, 0)
        for n, one in enumerate(arms)
    )
    return Confirmed(plan, results, None, 1)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_interval_and_name_of_a_confirmation_is_whole(width: int) -> None:
    found = confirmed()
    shown = rows_of(confirm_table.confirm_table(found, [12.34] * 7, "title", width), width)
    assert len(shown) == len(found.arms)
    for row, one in zip(shown[1:], found.arms[1:], strict=True):
        assert row[0] == f"finalist: {confirm_table.name_of(one.arm)}"
        assert row[2:4] == ["-12.34 (-23.45 to +11.11)", "+12.34 ± 19.60"]
        assert row[-1] == "12.34"


@pytest.mark.parametrize("width", WIDTHS)
def test_every_interval_and_name_of_baselines_is_whole(width: int) -> None:
    networks = {"plain": PLAIN, **{kind: USUAL[kind] for kind in TUTORIALS}}
    found = [
        Row(name, one, (0.90, 0.92), None if one.is_plain else GAIN, 1234.5)
        for name, one in networks.items()
    ]
    shown = rows_of(baselines_table.table(found, "title", "validation", width), width)
    assert [row[0] for row in shown[1:]] == [
        confirm_table.name_of(Arm(role="uniform", architecture=USUAL[kind], seeds=()))
        for kind in TUTORIALS
    ]
    assert all(row[4] == "-12.34 (-23.45 to +11.11)" for row in shown[1:])
    assert all(row[3] == "91.00 ± 12.71" for row in shown)  # t(1) · 0.0141 / √2
    assert all(row[1].count("(") == row[1].count(")") == 1 for row in shown)
