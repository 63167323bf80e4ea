"""Confirmed gains with their intervals: facts in, drawing out."""

import plotly.graph_objects as go

from ..confirmation.comparison import Interval
from ..figures import ACCENT, INK, LINE
from .figures import AXIS, LEGEND, QUIET_AXIS, for_page
from .words import Confirmation

ROW, MARGINS = 44, 130  # pixels
HOVER = "%{x:+.2f} points<extra></extra>"


def confirmed_figure(one: Confirmation) -> go.Figure:
    """Draw each gain over plain with its interval on test images, and what the study claimed."""
    named = list(zip(one.labels, one.found.arms, strict=True))
    gains = {name: arm.gain for name, arm in named if arm.gain is not None}
    claims = {
        name: arm.arm.claim.gain
        for name, arm in named
        if name in gains and arm.arm.role == "finalist" and arm.arm.claim is not None
    }
    known = {name: gain for name, gain in claims.items() if gain is not None}
    figure = go.Figure([_shown(gains), _claimed(known)])
    figure.add_vline(x=0, line={"color": INK, "width": 1})
    figure.update_xaxes(title="gain over plain, points", **AXIS)
    figure.update_yaxes(autorange="reversed", **QUIET_AXIS)
    return for_page(figure, MARGINS + ROW * len(gains)).update_layout(legend=LEGEND)


def _shown(gains: dict[str, Interval]) -> go.Scatter:
    values = [100 * one.value for one in gains.values()]
    return go.Scatter(
        x=values,
        y=list(gains),
        mode="markers",
        name="test images",
        marker={"color": ACCENT, "size": 10},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [100 * (one.high - one.value) for one in gains.values()],
            "arrayminus": [100 * (one.value - one.low) for one in gains.values()],
            "thickness": 2,
        },
        hovertemplate=HOVER,
    )


def _claimed(gains: dict[str, float]) -> go.Scatter:
    return go.Scatter(
        x=[100 * gain for gain in gains.values()],
        y=list(gains),
        mode="markers",
        name="claimed by the study",
        marker={"color": LINE, "symbol": "diamond-open", "size": 10},
        hovertemplate=HOVER,
    )
