"""One panel of a gate picture: a quantity for several images side by side, or a histogram.

Shapes: B images, C channels, H x W pixels, h x w places of a map.
"""

from dataclasses import dataclass
from textwrap import fill

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap

from .facts import ByteArray, FloatArray, GateValues, View, histogram
from .page import ACCENT, INK, QUIET

PITCH = 1.06  # from image to image, in sides of one
WITHIN = (0.5, 99.5)  # percent of the values
LEAST_SPAN = 0.2
ALPHA = 0.55  # of a map over its image
GREY = np.array([0.299, 0.587, 0.114])  # luma of ITU-R BT.601
DARKEST = -128  # of the grey's scale: black becomes a grey on which colours can be told apart
BARS = "#8fc7b3"


@dataclass(frozen=True, slots=True)
class Scale:
    """From which value to which the colours of a view run; 0 is in the middle of a signed one.

    What lies beyond gets the colour of the end: one key that takes all would hide all others. It
    spans no less than a share of what is in its middle: what hardly varies shall look so.
    """

    low: float
    high: float
    colours: Colormap


def scale_of(view: View) -> Scale:
    """Return the scale that all images of a view share."""
    values = view.values[np.isfinite(view.values)]
    low, high = np.percentile(values, WITHIN).tolist() if values.size else (0.0, 1.0)
    if low < 0 < high:
        most = max(-low, high)
        return Scale(-most, most, colormaps["RdBu_r"])
    middle = (low + high) / 2
    reach = max(high - low, LEAST_SPAN * abs(middle), 1e-9) / 2
    return Scale(middle - reach, middle + reach, colormaps["viridis"])


def draw_images(axes: Axes, images_BHWC: ByteArray, captions: tuple[str, ...]) -> None:
    """Draw the images as they are, each under its caption."""
    _clear(axes, len(images_BHWC))
    for place, (image_HWC, caption) in enumerate(zip(images_BHWC, captions, strict=True)):
        axes.imshow(image_HWC, extent=_extent(place))
        words = fill(caption, 16)
        axes.text(PITCH * place + 0.5, -0.04, words, ha="center", va="bottom", size=8, color=INK)
    _frame(axes, len(images_BHWC))


def draw_view(axes: Axes, view: View, part: slice, images_BHWC: ByteArray) -> None:
    """Draw a part of the images' values: over each image, as bars or as a plane."""
    values = view.values[part]
    if view.shown == "bars":
        _draw_bars(axes, values, view.values)
        return
    scale = scale_of(view)
    _clear(axes, len(values))
    for place, one in enumerate(values):
        if view.shown == "map":
            _draw_map(axes, one, images_BHWC[part][place], scale, place)
        else:
            axes.imshow(one, cmap=scale.colours, vmin=scale.low, vmax=scale.high,
                        extent=_extent(place), interpolation="nearest")  # fmt: skip
        if view.query is not None:
            _mark(axes, PITCH * place + view.query[1], view.query[0])
    _frame(axes, len(values))


def draw_scale(axes: Axes, scale: Scale) -> None:
    """Draw what the colours mean: the ends of the scale."""
    axes.imshow(np.linspace(0, 1, 128)[None], aspect="auto", cmap=scale.colours)
    axes.set_axis_off()
    for place, value in ((0, scale.low), (1, scale.high)):
        words = f"{value:.3g}".replace("-", "−")
        axes.annotate(
            words,
            (place, -0.35),
            xycoords="axes fraction",
            ha="right" if place else "left",
            va="top",
            size=7,
            color=QUIET,
        )


def draw_histogram(axes: Axes, gate: GateValues) -> None:
    """Draw how a gate's values are distributed."""
    found = histogram(gate)
    if found.shares:
        axes.stairs(found.shares, found.edges, fill=True, color=ACCENT)
        axes.set_xlim(found.edges[0], found.edges[-1])
    if found.is_log:
        axes.set_xscale("log")
        axes.axvline(1, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set_yticks([])
    axes.tick_params(labelsize=7, colors=QUIET, pad=1.5)
    axes.set_xlabel(found.axis, size=7, color=QUIET, labelpad=1)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)


def _draw_map(
    axes: Axes, map_hw: FloatArray, image_HWC: ByteArray, scale: Scale, place: int
) -> None:
    """Draw the image in grey, and the map in colours over all of it."""
    extent = _extent(place)
    axes.imshow(image_HWC @ GREY, cmap="gray", vmin=DARKEST, vmax=255, extent=extent)
    is_whole = bool(np.isfinite(map_hw).all())
    axes.imshow(
        map_hw,
        cmap=scale.colours,
        vmin=scale.low,
        vmax=scale.high,
        alpha=ALPHA,
        extent=extent,
        interpolation="bilinear" if is_whole else "nearest",
    )


def _draw_bars(axes: Axes, values_BC: FloatArray, all_BC: FloatArray) -> None:
    """Draw one bar for each channel, from 0, on an axis that all images share.

    The line is the mean of all images: what stands out from it is due to the image.
    """
    finite = all_BC[np.isfinite(all_BC)]
    low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
    mean_C = np.nan_to_num(all_BC, posinf=high, neginf=low).mean(axis=0)
    for place, values_C in enumerate(np.nan_to_num(values_BC, posinf=high, neginf=low)):
        edges = PITCH * place + np.linspace(0, 1, len(values_C) + 1)
        axes.stairs(values_C, edges, fill=True, color=BARS, linewidth=0)
        axes.stairs(mean_C, edges, color=INK, linewidth=0.7)
    axes.set_xlim(-0.02, PITCH * len(values_BC))
    axes.set_ylim(low, high if high > low else 1.0)
    axes.set_xticks([])
    axes.tick_params(labelsize=7, colors=QUIET, pad=1.5)
    axes.axhline(0, color=QUIET, linewidth=0.6)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)


def _mark(axes: Axes, x: float, y: float) -> None:
    for colour, width in (("black", 3.0), ("white", 1.4)):
        axes.plot(x, y, "o", markersize=7, markerfacecolor="none", markeredgecolor=colour,
                  markeredgewidth=width, clip_on=False)  # fmt: skip


def _clear(axes: Axes, count: int) -> None:
    axes.set_axis_off()
    _frame(axes, count)


def _frame(axes: Axes, count: int) -> None:
    """Show all images; each `imshow` would show its own alone."""
    axes.set_xlim(-0.02, PITCH * count)
    axes.set_ylim(1.0, 0.0)
    axes.set_aspect("auto")


def _extent(place: int) -> tuple[float, float, float, float]:
    return PITCH * place, PITCH * place + 1, 1.0, 0.0
