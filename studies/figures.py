"""The front as a figure: facts in, drawing out."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

import plotly.graph_objects as go

from space import cost_axis, count_in_words, placements_in_words, share_in_words

from .front import Front, Point
from .verdicts import NAMES, verdict

HEIGHT = 560  # pixels: with less, the legend would run into the axis title
TICKS = (1.0, 1.01, 1.03, 1.1, 1.3, 2.0, 4.0, 8.0)  # cost over plain
INK, ACCENT, QUIET, LINE = "#1f2933", "#0b6e4f", "#9aa5b1", "#c05621"


NO_LIMITS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Mark:
    """One point to draw: place on the cost axis, percent, and what hovering shows."""

    x: float
    percent: float
    error: float
    label: str


def front_marks(front: Front, points: tuple[Point, ...]) -> tuple[Mark, ...]:
    """Return where each point stands on the cost axis and what it is."""
    return tuple(_mark(front, point) for point in points)


def reference_marks(front: Front) -> tuple[Mark, ...]:
    """Return the plain networks of other depths and the plain one itself, cheapest first."""
    if front.plain is None:
        return ()
    name, start = front.cost_name, front.plain_cost[front.cost_name]
    own = (start, front.plain.estimate.raw_mean, "plain")
    others = [(one.cost[name], one.accuracy, one.name) for one in front.references]
    dearer = sorted([own, *[one for one in others if one[0] > start]])
    return tuple(Mark(cost_axis(c, start), 100 * a, 0.0, label) for c, a, label in dearer)


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a budget on the drawn cost ends, and what it is."""

    x: float
    label: str


def limit_of(front: Front, limits: Mapping[str, int]) -> Limit | None:
    """Return the budget on the drawn cost, if there is one."""
    name = front.cost_name
    most = limits.get(name)
    if most is None:
        return None
    start = front.plain_cost[name]
    label = f"budget: {count_in_words(most)} {NAMES[name]} ({share_in_words(most, start)})"
    return Limit(cost_axis(most, start), label)


def front_figure(front: Front, title: str, limits: Mapping[str, int] = NO_LIMITS) -> go.Figure:
    """Draw every architecture, the front with its errors, the line of plain networks, a budget.

    The limits are the study's budgets by the name of their cost.
    """
    figure = go.Figure()
    kept = front_marks(front, front.rows)
    rest = front_marks(front, tuple(p for p in front.points if p not in front.rows))
    references = reference_marks(front)
    figure.add_trace(_scatter(rest, "estimate of a tried architecture", QUIET, size=7))
    figure.add_trace(_reference_line(references))
    figure.add_trace(_front_line(kept))
    _add_plain_band(figure, front)
    _add_limit(figure, limit_of(front, limits))
    _lay_out(figure, front, title)
    return figure


def _mark(front: Front, point: Point) -> Mark:
    name, known = front.cost_name, point.estimate
    error = 0.0 if isnan(known.standard_error) else 100 * known.standard_error
    start = front.plain_cost[name]
    label = (
        f"<b>{placements_in_words(point.architecture)}</b><br>"
        f"estimate {100 * known.accuracy:.2f} ± {error:.2f} %, n = {known.num_evaluations}, "
        f"raw mean {100 * known.raw_mean:.2f} %<br>"
        f"{count_in_words(point.cost.macs)} MACs, {count_in_words(point.cost.params)} params "
        f"({share_in_words(point.cost[name], start)} {NAMES[name]})<br>trial {point.trial}"
    )
    return Mark(cost_axis(point.cost[name], start), 100 * known.accuracy, error, label)


def _scatter(marks: tuple[Mark, ...], name: str, colour: str, *, size: int) -> go.Scatter:
    return go.Scatter(
        x=[mark.x for mark in marks],
        y=[mark.percent for mark in marks],
        text=[mark.label for mark in marks],
        hovertemplate="%{text}<extra></extra>",
        mode="markers",
        name=name,
        marker={"color": colour, "size": size},
    )


def _front_line(marks: tuple[Mark, ...]) -> go.Scatter:
    trace = _scatter(marks, "front ± one standard error", ACCENT, size=11)
    trace.update(
        mode="lines+markers",
        line={"color": ACCENT, "shape": "hv", "width": 2},
        error_y={"type": "data", "array": [mark.error for mark in marks], "thickness": 1.5},
    )
    return trace


def _reference_line(marks: tuple[Mark, ...]) -> go.Scatter:
    trace = _scatter(marks, "deeper plain networks (raw)", LINE, size=9)
    trace.update(
        mode="lines+markers+text",
        line={"color": LINE, "dash": "dot"},
        marker={"color": LINE, "size": 9, "symbol": "diamond"},
        texttemplate="%{text}",
        textposition="bottom center",
        textfont={"color": LINE},
    )
    return trace


def _add_plain_band(figure: go.Figure, front: Front) -> None:
    """Shade what one run of the plain network may show by noise alone."""
    if front.plain is None or front.noise is None:
        return
    level, sd = 100 * front.plain.estimate.accuracy, 100 * front.noise.sd
    figure.add_hrect(
        y0=level - sd,
        y1=level + sd,
        fillcolor=QUIET,
        opacity=0.2,
        line_width=0,
        annotation_text="one run of plain ± its noise",
        annotation_position="top right",
        annotation_font_color=INK,
    )


def _add_limit(figure: go.Figure, limit: Limit | None) -> None:
    """Draw the line that no proposal may pass."""
    if limit is None:
        return
    figure.add_vline(
        x=limit.x,
        line={"color": INK, "dash": "dash", "width": 1},
        annotation_text=limit.label,
        annotation_position="bottom left",
        annotation_font_color=INK,
    )


def _lay_out(figure: go.Figure, front: Front, title: str) -> None:
    name = front.cost_name
    figure.update_layout(
        template="plotly_white",
        title={"text": title, "subtitle": {"text": verdict(front)}},
        font={"family": "system-ui, sans-serif", "color": INK},
        legend={"orientation": "h", "y": -0.22, "x": 0},
        height=HEIGHT,
        margin={"t": 100, "b": 120},
    )
    figure.update_xaxes(
        title=f"{NAMES[name]} over the plain network's {count_in_words(front.plain_cost[name])}",
        tickvals=[cost_axis(tick, 1.0) for tick in TICKS],
        ticktext=[f"+{100 * (tick - 1):.0f} %" for tick in TICKS],
        zeroline=False,
    )
    figure.update_yaxes(title="validation accuracy, %", ticksuffix=" %")
