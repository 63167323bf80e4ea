"""Attention at work as pictures: `module_picture` of one module, `overview_picture` of all."""

from math import ceil
from textwrap import fill, wrap

from .facts import GateValues, Looked, ModuleFacts, View
from .page import ACCENT, ALARM, QUIET, Page
from .panels import PITCH, draw_histogram, draw_images, draw_scale, draw_view, scale_of

SIDE = 1.1  # inches of an image
IN_A_ROW = 8  # images; more go on below
LABELS = 1.75  # inches to the left of the images
STRIP = SIDE + 0.14
CAPTIONS = 0.3  # above the images
LEAST_WIDTH = 8.6  # the histograms of three gates
HISTOGRAM, BELOW_HISTOGRAM = 2.5, 1.7  # the width of one, and the height with its words
OVERVIEW_IMAGES = 4
ROW = STRIP + 0.12  # of the overview
SUMMARIES = 2.9  # inches to the left of its images


def module_picture(looked: Looked, module: ModuleFacts) -> bytes:
    """Return a PNG of what one module does with the images, and how its gates are distributed."""
    shown = [gate for gate in module.gates if gate.values.size > 1]
    num_rows = ceil(len(looked.images) / IN_A_ROW)
    width = max(LEAST_WIDTH, LABELS + SIDE * PITCH * min(len(looked.images), IN_A_ROW))
    strips = num_rows * (STRIP * (1 + len(module.views)) + CAPTIONS)
    page = Page(width, 0.8 + BELOW_HISTOGRAM * ceil(len(shown) / _histograms(width)) + strips)
    _add_head(page, module)
    _add_histograms(page, shown, _histograms(width))
    for row in range(num_rows):
        part = slice(row * IN_A_ROW, min((row + 1) * IN_A_ROW, len(looked.images)))
        _add_images(page, looked, part)
        for view in module.views:
            _add_view(page, view, part, looked)
    return page.png()


def overview_picture(looked: Looked) -> bytes:
    """Return a PNG with one row for each module: what it is, what it does, how it is spread."""
    part = slice(0, min(OVERVIEW_IMAGES, len(looked.images)))
    images = SIDE * PITCH * part.stop
    title = wrap(looked.title, 80)
    height = 0.55 + 0.22 * len(title) + ROW * (len(looked.modules) + 1)
    page = Page(SUMMARIES + images + 2.35, height)
    page.text(0, "\n".join(title), size=13, bold=True)
    page.down(0.45 + 0.22 * len(title))
    draw_images(page.axes(SUMMARIES, images, SIDE), looked.images[part], looked.captions[part])
    for module in looked.modules:
        page.down(ROW)
        view = main_view(module)
        _add_summary(page, module, view)
        if view is not None:
            draw_view(page.axes(SUMMARIES, images, SIDE), view, part, looked.images)
            axes = page.axes(SUMMARIES + images + 0.35, 1.8, SIDE - 0.35)
            draw_histogram(axes, next(one for one in module.gates if one.name == view.gate))
    return page.png()


def main_view(module: ModuleFacts) -> View | None:
    """Return what says most in one row: the first map, else whatever there is."""
    maps = [view for view in module.views if view.shown == "map"]
    return next(iter([*maps, *module.views]), None)


def _add_head(page: Page, module: ModuleFacts) -> None:
    page.text(0, f"{module.name}: {module.words}", size=13, bold=True)
    gains = [f"{gate.name} {gate.words}" for gate in module.gates if gate.values.size == 1]
    page.down(0.3)
    verdict = "; ".join([module.verdict, *gains])
    page.text(0, fill(verdict, 125), size=9, colour=ALARM if module.is_dead else ACCENT)
    page.down(0.5)


def _histograms(width: float) -> int:
    """Return how many of them stand side by side."""
    return int((width + 0.3) / (HISTOGRAM + 0.3))


def _add_histograms(page: Page, gates: list[GateValues], in_a_row: int) -> None:
    for start in range(0, len(gates), in_a_row):
        for place, gate in enumerate(gates[start : start + in_a_row]):
            left = place * (HISTOGRAM + 0.3)
            page.text(left, gate.name, bold=True)
            page.text(left, fill(gate.words, 46), size=7.5, colour=QUIET, below=0.17)
            draw_histogram(page.axes(left, HISTOGRAM, 0.7, below=0.6), gate)
        page.down(BELOW_HISTOGRAM)


def _add_images(page: Page, looked: Looked, part: slice) -> None:
    page.down(CAPTIONS)
    axes = page.axes(LABELS, SIDE * PITCH * (part.stop - part.start), SIDE)
    draw_images(axes, looked.images[part], looked.captions[part])
    page.down(STRIP)


def _add_view(page: Page, view: View, part: slice, looked: Looked) -> None:
    page.text(0, fill(f"{view.gate}: {view.title}", 20), below=0.1)
    if view.shown == "bars":
        page.text(0, "line: the images' mean", size=7, colour=QUIET, below=0.7)
    else:
        draw_scale(page.axes(0, 1.3, 0.09, below=0.72), scale_of(view))
    axes = page.axes(LABELS, SIDE * PITCH * (part.stop - part.start), SIDE)
    draw_view(axes, view, part, looked.images)
    page.down(STRIP)


def _add_summary(page: Page, module: ModuleFacts, view: View | None) -> None:
    page.text(0, module.name, bold=True)
    page.text(0, fill(module.words, 40), colour=QUIET, size=8, below=0.2)
    colour = ALARM if module.is_dead else ACCENT
    page.text(0, fill(module.verdict, 44), colour=colour, size=8, below=0.42)
    if view is not None:
        scale = scale_of(view)
        colours = "" if view.shown == "bars" else f", {scale.low:.3g} to {scale.high:.3g}"
        page.text(0, f"{view.gate}: {view.title}{colours}", colour=QUIET, size=7.5, below=0.9)
