"""The effects as a heat map, stage by mechanism: facts in, drawing out.

How sure a tile is shows without its colour, too: in brackets where its interval holds zero, bold
with a star where it differs from zero with all of them judged together. Untried ones are empty
frames.
"""

from collections.abc import Mapping

import plotly.graph_objects as go

from .by_stage import Cell
from .map import EffectMap, Tile

SCALE = ((0.0, "#b35806"), (0.5, "#f7f7f7"), (1.0, "#2166ac"))  # told apart by the colour-blind
INK, QUIET, FRAME = "#1f2933", "#616e7c", "#cbd2d9"
OPEN_OPACITY = 0.3
DARK = 0.8  # of the largest effect: beyond it white words are easier to read
ROW, MARGINS = 46, 160  # pixels
LEGEND = (
    "points ± standard error, n trainings; ★ differs from zero, all judged together;<br>"
    "(in brackets) the 95 % interval holds zero; dotted frame: never trained"
)


def effect_figure(found: EffectMap, title: str) -> go.Figure:
    """Draw the map."""
    figure = go.Figure()
    reach = max((abs(tile.points) for tile in found.tiles), default=0.0) or 1.0
    for is_open, opacity in ((False, 1.0), (True, OPEN_OPACITY)):
        tiles = {one.cell: one for one in found.tiles if (one.certainty == "open") is is_open}
        figure.add_trace(_layer(found, tiles, opacity))
    _write(figure, found, reach)
    _frame(figure, found)
    _lay_out(figure, found, reach, title)
    return figure


def _layer(found: EffectMap, tiles: Mapping[Cell, Tile], opacity: float) -> go.Heatmap:
    """Return the tiles of one opacity."""
    stages = range(1, found.num_stages + 1)
    grid = [[tiles.get(Cell(stage, kind)) for stage in stages] for kind in found.kinds]
    return go.Heatmap(
        x=list(stages),
        y=list(range(len(found.kinds))),
        z=[[tile and tile.points for tile in row] for row in grid],
        text=[[tile.label if tile else "" for tile in row] for row in grid],
        hovertemplate="%{text}<extra></extra>",
        hoverongaps=False,
        coloraxis="coloraxis",
        opacity=opacity,
        xgap=3,
        ygap=3,
    )


def _write(figure: go.Figure, found: EffectMap, reach: float) -> None:
    """Write the words on the tiles, and say where a mechanism is never proposed.

    All at once: plotly checks all of them again with each one that is added.
    """
    words = []
    for tile in found.tiles:
        is_dark = tile.certainty != "open" and abs(tile.points) > DARK * reach
        colour = "white" if is_dark else QUIET if tile.certainty == "open" else INK
        words.append(_words(found, tile.cell, tile.text, colour))
    known = {tile.cell for tile in found.tiles} | set(found.untried)
    for kind in found.kinds:
        for stage in range(1, found.num_stages + 1):
            if Cell(stage, kind) not in known:
                words.append(_words(found, Cell(stage, kind), "not proposed", QUIET))
    figure.update_layout(annotations=words)


def _words(found: EffectMap, cell: Cell, text: str, colour: str) -> dict[str, object]:
    return {
        "x": cell.stage,
        "y": found.kinds.index(cell.kind),
        "text": text,
        "showarrow": False,
        "font": {"color": colour, "size": 11},
    }


def _frame(figure: go.Figure, found: EffectMap) -> None:
    """Draw an empty frame for each cell that was never trained."""
    figure.update_layout(
        shapes=[
            {
                "type": "rect",
                "x0": cell.stage - 0.47,
                "x1": cell.stage + 0.47,
                "y0": found.kinds.index(cell.kind) - 0.45,
                "y1": found.kinds.index(cell.kind) + 0.45,
                "line": {"color": FRAME, "width": 1, "dash": "dot"},
            }
            for cell in found.untried
        ]
    )


def _lay_out(figure: go.Figure, found: EffectMap, reach: float, title: str) -> None:
    """Set the words around the map, its axes, and one range of colours, centred at 0."""
    figure.update_layout(
        template="plotly_white",
        title={"text": title, "subtitle": {"text": LEGEND}},
        font={"family": "system-ui, sans-serif", "color": INK},
        height=MARGINS + ROW * len(found.kinds),
        margin={"t": 130, "b": 30},
        coloraxis={
            "colorscale": [list(stop) for stop in SCALE],
            "cmin": -reach,
            "cmax": reach,
            "colorbar": {"title": {"text": "points"}, "thickness": 12},
        },
    )
    stages = list(range(1, found.num_stages + 1))
    figure.update_xaxes(
        tickvals=stages,
        ticktext=[f"stage {stage}" for stage in stages],
        range=[0.5, found.num_stages + 0.5],
        side="top",
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(
        tickvals=list(range(len(found.kinds))),
        ticktext=list(found.kinds),
        range=[len(found.kinds) - 0.5, -0.5],  # the first on top
        showgrid=False,
        zeroline=False,
    )
