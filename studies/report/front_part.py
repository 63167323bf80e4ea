"""The front on the page: its figure, its table, each network as a picture with its file."""

from math import isnan

from markupsafe import Markup

from space import Cost, count_in_words, placements_in_words, share_in_words
from space.files import as_yaml

from ..figures import NO_LIMITS, front_figure
from ..front import Front, Point, recommended
from ..pictures.drawings import drawing
from ..verdicts import NAMES
from .facts import ReportFacts
from .figures import front_for_page
from .parts import Network, Picture, Section, Table

HEAD = ("row", "trial", "placements", "accuracy, %", "gain, points", "n", "MACs", "params")


def front_section(facts: ReportFacts) -> Section:
    """Return the front with its uncertainty, budgets and the line of plain networks."""
    front = facts.front
    figure = front_for_page(front_figure(front, "", facts.words.limits or NO_LIMITS))
    rows = tuple(_row(front, number, row) for number, row in enumerate(front.rows, start=1))
    return Section(
        "front",
        "The front",
        pictures=(
            Picture(
                figure,
                f"Accuracy against cost of {len(front.points)} networks, of which "
                f"{len(front.rows)} are on the front; the table below holds its numbers.",
                "Estimates of all networks that were trained, with one standard error on the "
                "front. The cost axis stretches what costs little; the dotted line joins plain "
                "networks of other depths, one run each.",
            ),
        ),
        tables=(Table(HEAD, rows), *_references(front)),
        notes=facts.words.below_front,
    )


def networks_section(facts: ReportFacts) -> Section:
    """Return a picture and the configuration of every network on the front."""
    front = facts.front
    chosen = recommended(front)
    return Section(
        "networks",
        "The networks of the front",
        lead=(
            "Filled squares are blocks with attention; the block below them shows where in it. "
            "A configuration is a file for `search train` and `backbones.build`.",
        ),
        networks=tuple(
            _network(front, number, row, is_recommended=row is chosen)
            for number, row in enumerate(front.rows, start=1)
        ),
    )


def in_percent(value: float, error: float, sign: str = "") -> str:
    """Return a share as points of a hundred with its standard error."""
    shown = "?" if isnan(error) else f"{100 * error:.2f}"
    return f"{100 * value:{sign}.2f} ± {shown}"


def _row(front: Front, number: int, row: Point) -> tuple[str, ...]:
    known = row.estimate
    has_gain = not row.architecture.is_plain and not isnan(known.gain)
    return (
        str(number),
        str(row.trial),
        placements_in_words(row.architecture),
        in_percent(known.accuracy, known.standard_error),
        in_percent(known.gain, known.gain_error, "+") if has_gain else "",
        str(known.num_evaluations),
        *_costs(front, row.cost),
    )


def _references(front: Front) -> tuple[Table, ...]:
    if not front.references:
        return ()
    rows = tuple(
        (one.name, f"{100 * one.accuracy:.2f}", str(one.num_evaluations), *_costs(front, one.cost))
        for one in front.references
    )
    head = ("network", "accuracy, % (raw)", "n", "MACs", "params")
    return (Table(head, rows, "Plain networks of other depths, in the same protocol"),)


def _costs(front: Front, price: Cost) -> tuple[str, str]:
    """Return both costs and how much they are over plain."""
    base = front.plain_cost
    return (
        f"{count_in_words(price.macs)} ({share_in_words(price.macs, base.macs)})",
        f"{count_in_words(price.params)} ({share_in_words(price.params, base.params)})",
    )


def _network(front: Front, number: int, row: Point, *, is_recommended: bool) -> Network:
    accuracy = in_percent(row.estimate.accuracy, row.estimate.standard_error)
    share = share_in_words(row.cost[front.cost_name], front.plain_cost[front.cost_name])
    mark = " · recommended" if is_recommended else ""
    return Network(
        f"Row {number}: {placements_in_words(row.architecture)}",
        f"{accuracy} %, {share} {NAMES[front.cost_name]}{mark}",
        Markup(drawing(row.architecture)),  # our own drawing, its words escaped
        as_yaml(row.architecture),
    )
