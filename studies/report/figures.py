"""The page's own figures: facts in, drawing out.

They have no paper and one ink, so that the page can give them another where it is dark.
"""

from collections.abc import Sequence
from textwrap import shorten

import plotly.graph_objects as go

from ..figures import ACCENT, INK, LINE, QUIET
from .learning import Curve
from .progress import Step

LEGEND_LETTERS = 40  # more would not fit on a phone
GRID = "#cbd2d9"
CLEAR = "rgba(0,0,0,0)"
PALETTE = (ACCENT, "#2166ac", LINE, "#7b3fa0", "#a8690a", "#b42318", "#3b7d9a", "#5b6b00")
AXIS = {"gridcolor": GRID, "zerolinecolor": GRID, "zeroline": False, "automargin": True}
LEGEND = {"orientation": "h", "yref": "container", "y": 0.0, "yanchor": "bottom", "x": 0}
QUIET_AXIS = {"showgrid": False, "zeroline": False, "automargin": True}


def for_page(figure: go.Figure, height: int | None = None) -> go.Figure:
    """Return the figure without its title and paper: the page has its own."""
    figure.update_layout(
        template="none",
        title=None,
        font={"family": "system-ui, sans-serif", "color": INK, "size": 13},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        margin={"l": 60, "r": 30, "t": 20, "b": 50},
    )
    if height:
        figure.update_layout(height=height)
    return figure


def front_for_page(figure: go.Figure) -> go.Figure:
    """Return the front's figure as the page shows it: its legend below everything."""
    for_page(figure, 520).update_layout(legend=LEGEND)
    figure.update_traces(cliponaxis=False)  # names at the edge are longer than the margin
    figure.update_xaxes(**AXIS)
    figure.update_yaxes(**AXIS)
    return figure


def map_for_page(figure: go.Figure) -> go.Figure:
    """Return the map of effects as the page shows it."""
    height = int(figure.layout.height) - 90
    for_page(figure, height).update_layout(margin={"l": 80, "r": 10, "t": 40, "b": 10})
    figure.update_yaxes(automargin=True)
    return figure


def progress_figure(steps: Sequence[Step], *, against_time: bool) -> go.Figure:
    """Draw the hypervolume against trainings, or against what they took."""
    most = steps[-1].seconds if steps else 0.0
    unit, name = (60.0, "minutes") if most < 7200 else (3600.0, "hours")
    figure = go.Figure(
        go.Scatter(
            x=[one.seconds / unit if against_time else one.num_trainings for one in steps],
            y=[100 * one.hypervolume for one in steps],
            mode="lines",
            line={"color": ACCENT, "shape": "hv", "width": 2.5},
            hovertemplate="%{x:.4g}: %{y:.3g}<extra></extra>",
        )
    )
    title = f"{name} of training, all workers together" if against_time else "trainings"
    figure.update_xaxes(title=title, rangemode="tozero", **AXIS)
    figure.update_yaxes(title="hypervolume", rangemode="tozero", **AXIS)
    return for_page(figure, 320)


def learning_figure(curves: Sequence[Curve]) -> go.Figure:
    """Draw the front's trainings strong, the others quiet, those that were stopped dotted."""
    figure = go.Figure()
    for fate, name, style in (
        ("other", "other networks", {"color": QUIET, "width": 1}),
        ("stopped", "stopped early", {"color": LINE, "width": 1, "dash": "dot"}),
    ):
        figure.add_trace(_together([one for one in curves if one.fate == fate], name, style))
    for row in sorted({one.row for one in curves if one.row is not None}):
        own = [one for one in curves if one.row == row]
        style = {"color": PALETTE[(row - 1) % len(PALETTE)], "width": 2.5}
        words = shorten(own[0].words, LEGEND_LETTERS, placeholder=" …")
        figure.add_trace(_together(own, f"row {row}: {words}", style))
    figure.update_xaxes(title="epoch", dtick=_step(curves), **AXIS)
    figure.update_yaxes(title="validation accuracy, %", **AXIS)
    for_page(figure, 460)
    return figure.update_layout(
        hovermode="closest",
        legend=LEGEND,
    )


def _together(curves: Sequence[Curve], name: str, style: dict[str, object]) -> go.Scatter:
    """Return many curves as one trace, with gaps between them: quick to draw, one legend entry."""
    x: list[int | None] = []
    y: list[float | None] = []
    text: list[str] = []
    for one in curves:
        x += [*range(1, len(one.percents) + 1), None]
        y += [*one.percents, None]
        text += [one.words] * (len(one.percents) + 1)
    return go.Scatter(
        x=x,
        y=y,
        text=text,
        mode="lines",
        name=name,
        line=style,
        showlegend=bool(curves),
        hovertemplate="%{text}<br>epoch %{x}: %{y:.2f} %<extra></extra>",
    )


def _step(curves: Sequence[Curve]) -> int:
    """Return a distance of ticks that fits the longest curve."""
    most = max((len(one.percents) for one in curves), default=1)
    return max(1, most // 8)
