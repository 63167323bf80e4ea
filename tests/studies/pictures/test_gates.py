"""Pictures are decoded and looked at by their pixels: nothing here needs a network."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from studies.pictures.facts import (
    ByteArray,
    FloatArray,
    GateValues,
    Looked,
    ModuleFacts,
    Shown,
    View,
)
from studies.pictures.gates import (
    LABELS,
    ROW,
    SIDE,
    STRIP,
    main_view,
    module_picture,
    overview_picture,
)
from studies.pictures.page import ALARM, DPI, MARGIN
from studies.pictures.panels import scale_of


def pixels(png: bytes) -> ByteArray:
    """Return the picture as height x width x 3."""
    return np.array(Image.open(BytesIO(png)).convert("RGB"))


def module(*views: View, is_dead: bool = False, values: FloatArray | None = None) -> ModuleFacts:
    found = np.linspace(0, 1, 50) if values is None else values
    gate = GateValues("channel", "mean 0.5", found, (0.0, 1.0))
    return ModuleFacts("stage1.end.0", "se r16 on 16@8x8", "verdict", is_dead, views, (gate,))


def looked(num_images: int, *modules: ModuleFacts) -> Looked:
    images = np.full((num_images, 32, 32, 3), 128, dtype=np.uint8)
    return Looked("se in stage 1", images, ("automobile, not airplane",) * num_images, modules)


def view(shown: Shown, num_images: int) -> View:
    """Return a quantity that runs from 0 to 1."""
    shape = {"map": (num_images, 8, 8), "bars": (num_images, 64), "plane": (num_images, 16, 8)}
    size = shape[shown]
    values = np.linspace(0, 1, int(np.prod(size))).reshape(size)
    return View("channel", "all", shown, values, (0.5, 0.5) if shown == "map" else None)


def test_every_view_adds_a_strip_and_every_eight_images_begin_anew() -> None:
    views = [view(shown, 9) for shown in ("map", "bars", "plane")]
    one, three = module(views[0]), module(*views)
    first, second = (pixels(module_picture(looked(9, m), m)) for m in (one, three))
    assert second.shape[0] - first.shape[0] == pytest.approx(2 * 2 * STRIP * DPI, abs=2)


def test_a_map_is_hot_where_its_value_is_high() -> None:
    """One image, one map of 4 x 4 with its top right high: there it is yellow, blue elsewhere."""
    values = np.zeros((1, 4, 4))
    values[0, :2, 2:] = 1.0
    hot = module(View("channel", "all", "map", values))
    found = pixels(module_picture(looked(1, hot), hot)).astype(int)
    bottom = found.shape[0] - round((MARGIN + STRIP) * DPI)  # the strip is the last
    left, side = round((MARGIN + LABELS) * DPI), round(SIDE * DPI)
    near, far = (
        found[bottom + round(y * side), left + round(x * side)]
        for x, y in ((0.9, 0.1), (0.1, 0.9))
    )
    assert near[1] > near[2] + 60  # viridis: yellow
    assert far[2] > far[1] + 20  # violet


def test_nothing_is_drawn_where_a_map_has_nothing() -> None:
    """A cross over a grey image: outside of it the image stays grey."""
    values = np.full((1, 8, 8), np.nan)
    values[0, 4], values[0, :, 4] = 0.5, 1.0
    cross = module(View("channel", "all", "map", values))
    found = pixels(module_picture(looked(1, cross), cross)).astype(int)
    bottom = found.shape[0] - round((MARGIN + STRIP) * DPI)
    corner = found[bottom + 10, round((MARGIN + LABELS) * DPI) + 10]
    assert corner[0] == corner[1] == corner[2] < 255


@pytest.mark.parametrize(
    "values",
    [np.zeros((2, 8, 8)), np.full((2, 8, 8), np.nan), np.linspace(-1, 1, 128).reshape(2, 8, 8)],
    ids=["constant", "not finite", "signed"],
)
def test_every_map_can_be_drawn(values: FloatArray) -> None:
    both = View("channel", "all", "map", values), View("channel", "all", "bars", values[:, 0])
    strange = module(*both, values=values)
    assert pixels(module_picture(looked(2, strange), strange)).std() > 0


def test_zero_is_in_the_middle_of_a_signed_scale() -> None:
    signed = scale_of(View("channel", "all", "map", np.linspace(-1, 3, 1001)))
    assert signed.low == -signed.high
    assert signed.high == pytest.approx(2.98, abs=0.01)  # 99.5 % of the values are below


@pytest.mark.parametrize("value", [0.5, 1 / 64, 0.0])
def test_what_hardly_varies_looks_so(value: float) -> None:
    """A fifth of its size is the least that the colours span."""
    scale = scale_of(View("channel", "all", "map", value + np.linspace(0, 1e-3 * value, 100)))
    assert scale.low < value < scale.high
    if value:
        assert scale.high - scale.low == pytest.approx(0.2 * value, rel=1e-3)


def test_a_dead_module_stands_out_and_an_overview_has_a_row_for_each() -> None:
    alarm = np.array([int(ALARM[start : start + 2], 16) for start in (1, 3, 5)])
    alive, dead = module(view("bars", 2)), module(view("bars", 2), is_dead=True)
    one, two = (pixels(overview_picture(looked(2, *rows))) for rows in ([alive], [alive, dead]))
    assert not (one == alarm).all(axis=2).any()
    assert (two == alarm).all(axis=2).any()
    assert two.shape[0] - one.shape[0] == pytest.approx(ROW * DPI, abs=1)


def test_the_first_map_says_most_and_a_module_may_show_nothing() -> None:
    bars, over = view("bars", 1), view("map", 1)
    assert main_view(module(bars, over)) is over
    assert main_view(module(bars)) is bars
    assert main_view(module()) is None
    empty = ModuleFacts("stage1.end.0", "odd", "verdict", False, (), ())
    assert pixels(overview_picture(looked(1, empty))).size
    assert pixels(module_picture(looked(1, empty), empty)).size
