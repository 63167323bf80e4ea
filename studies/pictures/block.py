"""One residual block as a picture: convolutions, shortcut, and the places that hold attention."""

from collections.abc import Mapping, Sequence

from space import Backbone, Placement
from space.place import Position

# Where each place is in the drawing. They are free of convolutions in both kinds of block.
MARKS: Mapping[Position, tuple[float, float]] = {
    "pre": (52, 60),
    "after_conv1": (122, 60),
    "identity": (152, 18),
    "residual": (240, 60),
    "post": (306, 60),
}
MIDDLE, SHORTCUT = 60, 18  # heights of the branch and of the shortcut
BEGIN, SUM, END = 26, 270, 336
BOX = 34  # side of a convolution's box, and its height is 26
# Left edge and kernel of each convolution.
CONVOLUTIONS = {
    "basic": ((70, "3×3"), (172, "3×3")),
    "bottleneck": ((70, "1×1"), (140, "3×3"), (186, "1×1")),
}
RADIUS = 8
PITCH = 19  # between marks in one place


def block_drawing(backbone: Backbone, placements: Sequence[Placement]) -> str:
    """Return a block with every placement of the stage that stands in blocks."""
    convolutions = CONVOLUTIONS[backbone.block]
    boxes = [_convolution(left, kernel) for left, kernel in convolutions]
    lines = _branch([left for left, _ in convolutions]) + _shortcut()
    return "".join([lines, *boxes, _sum(), *_marks(placements)])


def mark(x: float, y: float, number: int, count: int) -> str:
    """Return the sign of attention; it is numbered where there is more than one."""
    side = 2 * RADIUS
    rect = (
        f'<rect class="mark" x="{x - RADIUS:.4g}" y="{y - RADIUS:.4g}" width="{side}" '
        f'height="{side}" rx="4"/>'
    )
    if count == 1:
        return rect
    place = f'x="{x:.4g}" y="{y + 3.5:.4g}" text-anchor="middle"'
    return f'{rect}<text class="number" {place}>{number}</text>'


def _branch(boxes: Sequence[int]) -> str:
    """Return the line through the block, which leaves out the boxes: paper may have any colour."""
    starts = [10, *(left + BOX for left in boxes), SUM + RADIUS]
    ends = [*boxes, SUM - RADIUS, END]
    pieces = "".join(f"M{start} {MIDDLE}H{end}" for start, end in zip(starts, ends, strict=True))
    return f'<path class="line" d="{pieces}m-6 -4l6 4l-6 4"/>'


def _shortcut() -> str:
    bend = 8
    rise = f"M{BEGIN} {MIDDLE}V{SHORTCUT + bend}q0 -{bend} {bend} -{bend}"
    fall = f"H{SUM - bend}q{bend} 0 {bend} {bend}V{MIDDLE - RADIUS}"
    return f'<path class="line" d="{rise}{fall}"/>'


def _convolution(left: int, kernel: str) -> str:
    middle = left + BOX / 2
    return (
        f'<rect class="box" x="{left}" y="{MIDDLE - 13}" width="{BOX}" height="26" rx="4"/>'
        f'<text class="small" x="{middle:g}" y="{MIDDLE + 4}" text-anchor="middle">{kernel}</text>'
    )


def _sum() -> str:
    ring = f'<circle class="line" cx="{SUM}" cy="{MIDDLE}" r="{RADIUS}"/>'
    return f'{ring}<path class="line" d="M{SUM - 4} {MIDDLE}h8m-4 -4v8"/>'


def _marks(placements: Sequence[Placement]) -> list[str]:
    """Return a mark for each placement; several in one place stand on one another, first below."""
    seen: dict[Position, int] = {}
    found = []
    for number, one in enumerate(placements, start=1):
        if one.position in MARKS:
            x, y = MARKS[one.position]
            floor = seen.get(one.position, 0)
            seen[one.position] = floor + 1
            found.append(mark(x, y - PITCH * floor, number, len(placements)))
    return found
