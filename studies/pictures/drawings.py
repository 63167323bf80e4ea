"""An architecture as a picture: its stages from the top, one block of each, what sits where.

The SVG is as wide as a phone and takes its ink from the text around it; alone it is black, or
white where the reader prefers dark pages. All sizes are in pixels at its own width.
"""

from collections.abc import Sequence
from html import escape
from textwrap import wrap

from space import Architecture, Backbone, Placement, Shape, placements_in_words
from space.place import chosen_blocks

from .block import MARKS, block_drawing, mark

WIDTH = 340
MARGIN = 12
GAP = 6  # between the blocks and the words
LINE = 16  # from line to line
PLAIN_PANEL, BLOCK = 46, 88  # heights: the panel of a plain stage, and of a drawn block
MOST_NAMED = 6  # blocks: more are every other one
LETTERS = 47  # of a line, about
ARROW = 18
# All of it within this drawing: a page's styles are shared by everything on it.
STYLE = "".join(
    f".drawing {selector}{{{rules}}}"
    for selector, rules in {
        "text": "fill:currentColor;font:12px system-ui,sans-serif",
        ".quiet": "opacity:.68",
        ".strong": "font-weight:600",
        ".small": "font-size:11px",
        ".line": "fill:none;stroke:currentColor;stroke-width:1.3",
        ".box": "fill:none;stroke:currentColor;stroke-opacity:.4",
        ".mark": "fill:#12805c;stroke:none",
        ".number": "fill:#fff;font-size:10px;font-weight:600",
    }.items()
)
ALONE = (  # as a file of its own
    "svg:root{color:#1f2933}@media(prefers-color-scheme:dark){svg:root{color:#e4e7eb}}"
)


def drawing(architecture: Architecture) -> str:
    """Return the network as one SVG element."""
    backbone = architecture.plain_backbone()
    parts = [_bar(_stem_words(backbone), 0)]
    top = 28.0
    for number, placements in zip(backbone.numbers(), architecture.stages, strict=True):
        parts.append(_arrow(top))
        top += ARROW
        panel, height = _panel(backbone, number, placements)
        parts.append(f'<g transform="translate(0 {top:g})">{panel}</g>')
        top += height
    parts += [_arrow(top), _bar(f"mean, linear → {architecture.num_classes} classes", top + ARROW)]
    words = escape(f"{placements_in_words(architecture)} on {architecture.backbone}")
    height = top + ARROW + 29
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {WIDTH + 2} {height:g}" '
        f'width="{WIDTH + 2}" role="img" aria-label="{words}" class="drawing">'
        f"<title>{words}</title><style>{STYLE}{ALONE}</style>{''.join(parts)}</svg>"
    )


def _panel(backbone: Backbone, number: int, placements: Sequence[Placement]) -> tuple[str, float]:
    """Return what is drawn of a stage, and its height."""
    num_blocks = backbone.stages[number - 1].num_blocks
    parts = [_head(number, backbone.shapes()[number - 1])]
    parts.append(_strip(num_blocks, placements))
    height = float(PLAIN_PANEL)
    if any(one.position in MARKS for one in placements):
        block = block_drawing(backbone, placements)
        parts.append(f'<g transform="translate(0 {height:g})">{block}</g>')
        height += BLOCK
    elif placements:
        height += GAP
    for order, placement in enumerate(placements, start=1):
        lines = wrap(_legend(placement, num_blocks), LETTERS)
        parts.append(mark(MARGIN + 7, height + 4, order, len(placements)))
        parts += [_text(MARGIN + 22, height + 8 + LINE * i, line) for i, line in enumerate(lines)]
        height += LINE * len(lines) + 4
    height += 4 if placements else 0
    frame = f'<rect class="box" width="{WIDTH}" height="{height:g}" rx="8"/>'
    return frame + "".join(parts), height


def _head(number: int, shape: Shape) -> str:
    name = f'<tspan class="strong">stage {number}</tspan>'
    words = f"{shape.channels} channels, {shape.height} × {shape.width}"
    size = f'<tspan class="quiet" dx="8">{words}</tspan>'
    return f'<text x="{MARGIN}" y="19">{name}{size}</text>'


def _strip(num_blocks: int, placements: Sequence[Placement]) -> str:
    """Return a square for each block, filled where attention is in it, and what stands behind."""
    filled = {
        block
        for one in placements
        if one.position in MARKS
        for block in chosen_blocks(one.blocks, num_blocks)
    }
    pitch = min(14.0, (WIDTH - 2 * MARGIN - 80) / num_blocks)
    side = pitch - 3
    kinds = ["mark" if block in filled else "box" for block in range(1, num_blocks + 1)]
    squares = [
        f'<rect class="{kind}" x="{MARGIN + pitch * index:.4g}" y="26" width="{side:.4g}" '
        'height="11" rx="1.5"/>'
        for index, kind in enumerate(kinds)
    ]
    end = MARGIN + pitch * num_blocks
    behind = [n for n, one in enumerate(placements, start=1) if one.position == "stage_end"]
    marks = [
        f'<path class="line" d="M{end + 18 * i:.4g} 31.5h6"/>'
        + mark(end + 14 + 18 * i, 31.5, number, len(placements))
        for i, number in enumerate(behind)
    ]
    end += 18 * len(behind) + (10 if behind else 6)
    words = f"{num_blocks} block{'' if num_blocks == 1 else 's'}"
    return "".join([*squares, *marks, _text(end, 36, words, "quiet small")])


def _legend(placement: Placement, num_blocks: int) -> str:
    """Return what it is and where it stands, as `se r16 · residual · blocks 1, 3`."""
    gain = " · gain zero" if placement.gain == "zero" else ""
    what = f"{placement.attention.in_words()} · {placement.position}"
    if placement.position == "stage_end":
        return f"{what}{gain}"
    chosen = chosen_blocks(placement.blocks, num_blocks)
    if len(chosen) == num_blocks:
        where = "every block" if num_blocks > 1 else "its block"
    elif len(chosen) > MOST_NAMED:
        where = "every other block"
    else:
        where = f"block{'' if len(chosen) == 1 else 's'} {', '.join(map(str, chosen))}"
    return f"{what} · {where}{gain}"


def _stem_words(backbone: Backbone) -> str:
    return f"image → 3×3 convolution → {backbone.stem_width} channels"


def _bar(words: str, top: float) -> str:
    frame = f'<rect class="box" y="{top:g}" width="{WIDTH}" height="27" rx="8"/>'
    return frame + _text(WIDTH / 2, top + 18, words, "quiet", anchor="middle")


def _arrow(top: float) -> str:
    x = WIDTH / 2
    return f'<path class="line" d="M{x:g} {top:g}v{ARROW - 2}m-4 -5l4 5l4 -5"/>'


def _text(x: float, y: float, words: str, kind: str = "", *, anchor: str = "start") -> str:
    own = f' class="{kind}"' if kind else ""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.4g}" y="{y:.4g}"{own}{place}>{escape(words)}</text>'
