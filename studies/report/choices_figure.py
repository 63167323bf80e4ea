"""The choices of all networks as parallel coordinates: facts in, drawing out."""

import plotly.graph_objects as go

from space import cost_axis

from ..figures import ACCENT, INK, QUIET, TICKS
from ..verdicts import NAMES
from .choices import Choices
from .figures import CLEAR, for_page

SCALE = ((0.0, QUIET), (0.5, "#7fb8a4"), (1.0, ACCENT))
OPTION, LEAST = 26, 310  # pixels: from option to option, and the least height of an axis
MARGINS = {"l": 70, "r": 50, "t": 50, "b": 20}
Dimension = dict[str, object]


def choices_figure(found: Choices) -> go.Figure:
    """Draw each network as a line through its choices, its cost and its accuracy."""
    percents = [line.percent for line in found.lines]
    stages = range(len(found.lines[0].kinds))
    dimensions = [
        *(_stage(found, index) for index in stages),
        _cost(found),
        {"label": "accuracy, %", "values": percents},
    ]
    figure = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={"color": percents, "colorscale": [list(stop) for stop in SCALE]},
            labelfont={"color": INK, "size": 13},
            tickfont={"color": INK, "size": 11},
            rangefont={"color": CLEAR, "size": 1},  # the ends are among the ticks
            unselected={"line": {"color": QUIET, "opacity": 0.15}},
        )
    )
    height = MARGINS["t"] + MARGINS["b"] + max(LEAST, OPTION * len(found.options))
    return for_page(figure, height).update_layout(margin=MARGINS)


def _stage(found: Choices, index: int) -> Dimension:
    """Return the axis of a stage; all stages have the same options, so that they compare."""
    options = found.options
    return {
        "label": f"stage {index + 1}",
        "values": [options.index(line.kinds[index]) for line in found.lines],
        "tickvals": list(range(len(options))),
        "ticktext": list(options),
        "range": [-0.3, len(options) - 0.7],
    }


def _cost(found: Choices) -> Dimension:
    """Return the axis of the cost, which stretches what costs little as the front's does."""
    places = [line.place for line in found.lines]
    end = max([*places, cost_axis(TICKS[1], 1.0)])
    ticks = [tick for tick in TICKS if cost_axis(tick, 1.0) <= end]
    return {
        "label": NAMES[found.cost_name],
        "values": places,
        "tickvals": [cost_axis(tick, 1.0) for tick in ticks],
        "ticktext": [f"+{100 * (tick - 1):.0f} %" for tick in ticks],
        "range": [0, end],
    }
