"""What is shown of each kind of gate, on values written by hand and on every mechanism."""

import numpy as np
import pytest
import torch

from backbones import build, recorded
from backbones.attention import Gate
from search.training.gate_views import ROWS, gate_views, joined, queries
from space import MECHANISMS, Architecture, Shape, Slot, plan


def architecture(kind: str, **changed: object) -> Architecture:
    """Return a ResNet-8 with one module in its third stage: 64 channels, 8 x 8."""
    placement = {"attention": {"kind": kind, **changed}, "position": "residual"}
    return Architecture.model_validate({"backbone": "resnet8", "stages": [[], [], [placement]]})


def slot(kind: str, **changed: object) -> Slot:
    (found,) = plan(architecture(kind, **changed))
    return found


@pytest.mark.parametrize("kind", MECHANISMS)
def test_every_kind_has_something_to_show_of_every_gate_but_a_gain(kind: str) -> None:
    torch.manual_seed(0)
    (gates,) = recorded(build(architecture(kind)), torch.randn(2, 3, 32, 32)).values()
    views = gate_views(slot(kind), gates)
    for name, gate in gates.items():
        assert any(view.gate == name for view in views) == (gate.form != "scalar"), name
    sizes = {"map": (2, 8, 8), "bars": (2, 64)}
    for view in views:
        assert view.values.shape == sizes.get(view.shown, view.values.shape)
        assert (view.query is not None) == ("taken by the" in view.title)
        if view.shown == "plane":
            assert view.values.shape in {(2, 64, 8), (2, 64, 64)}


def test_every_kind_with_rows_is_in_the_table() -> None:
    torch.manual_seed(0)
    for kind in MECHANISMS:
        (gates,) = recorded(build(architecture(kind)), torch.randn(1, 3, 32, 32)).values()
        names = {name.rstrip("12") for name, gate in gates.items() if gate.form == "rows"}
        assert names == {name for one, name in ROWS if one == kind}


def test_a_query_shows_its_own_row_and_where_it_stands() -> None:
    """Query q takes 64·q + k from key k, on a map of 8 x 8; the centre is row 4, column 4."""
    weights = torch.arange(64.0 * 64).reshape(1, 64, 64)
    centre, left, right = gate_views(slot("non_local"), {"pairs": Gate("rows", weights)})
    assert np.array_equal(centre.values[0], 64 * 36 + np.arange(64.0).reshape(8, 8))
    assert centre.query == (4.5 / 8, 4.5 / 8)
    assert left.values[0, 0, 0] == 0
    assert right.values[0, 7, 7] == 64 * 64 - 1
    assert right.query == (7.5 / 8, 7.5 / 8)


@pytest.mark.parametrize(("side", "keys"), [(8, 16), (7, 9), (3, 1), (2, 1)])
def test_pooled_keys_are_a_smaller_map(side: int, keys: int) -> None:
    """Pooling by two drops an odd last row and column: 7 x 7 positions have 3 x 3 keys."""
    weights = torch.arange(float(keys)).expand(1, side * side, keys)
    rows = ROWS["non_local", "pairs"]("pairs", weights.numpy(), Shape(4, side, side))
    assert {view.values.shape for view in rows} == {(1, side // 2, side // 2)}


def test_a_cross_holds_the_column_and_the_row_and_nothing_else() -> None:
    """With R = 1: all 16 weights but the column's own 0 are on the map, and sum to 1."""
    weights = torch.rand(1, 8, 8, 16)
    weights[0, range(8), :, range(8)] = 0.0
    weights /= weights.sum(dim=-1, keepdim=True)
    for view in gate_views(slot("criss_cross"), {"pass1": Gate("rows", weights)}):
        assert np.isfinite(view.values).sum() == 15
        assert np.nansum(view.values) == pytest.approx(1)
        assert view.query is not None
        row, column = (int(8 * share) for share in view.query)
        assert view.values[0, row, column] == weights[0, row, column, 8 + column]
        other = 7 - row if row != 4 else 0  # of the column, not of the row
        assert view.values[0, other, column] == weights[0, row, column, other]


def test_channels_are_no_map_where_there_are_as_many_as_positions() -> None:
    gates = {"position": Gate("rows", torch.ones(1, 64, 64))}
    gates["channel"] = Gate("rows", torch.ones(1, 64, 64))
    views = gate_views(slot("dual"), gates)
    assert [view.shown for view in views] == ["map"] * 3 + ["plane"]


def test_what_is_gathered_and_who_takes_it_are_maps_of_the_same_descriptors() -> None:
    weights = torch.rand(2, 16, 64)
    gates = {"gathered": Gate("rows", weights)}
    gates["distributed"] = Gate("rows", weights.transpose(1, 2))
    views = gate_views(slot("double"), gates)
    assert len(views) == 8
    for gathered, distributed in zip(views[:4], views[4:], strict=True):
        assert np.array_equal(gathered.values, distributed.values)
        assert gathered.title == distributed.title


def test_heads_are_shown_in_the_mean_and_alone() -> None:
    weights = torch.stack([torch.full((1, 64, 64), 0.25), torch.full((1, 64, 64), 0.75)], dim=1)
    views = gate_views(slot("mhsa", heads=2), {"heads": Gate("rows", weights)})
    assert [float(view.values.mean()) for view in views] == [0.5, 0.5, 0.5, 0.25, 0.75]


def test_a_gate_of_the_maps_size_is_shown_by_place_and_by_channel() -> None:
    values = torch.arange(2.0)[None, :, None, None] * torch.arange(4.0).reshape(1, 1, 2, 2)
    over, bars = gate_views(slot("simam"), {"gate": Gate("tensor", values)})
    assert over.values.tolist() == [[[0.0, 0.5], [1.0, 1.5]]]
    assert bars.values.tolist() == [[0.0, 1.5]]


def test_views_of_further_images_join() -> None:
    first, second = (gate_views(slot("se"), {"channel": gate(size)}) for size in (1, 3))
    (both,) = joined([first, second])
    assert both.values.shape == (4, 64)
    assert both.title == first[0].title


def gate(num_images: int) -> Gate:
    return Gate("vector", torch.ones(num_images, 64, 1, 1))


def test_the_queries_are_on_the_map() -> None:
    assert list(queries(Shape(4, 1, 1)).values()) == [(0, 0)] * 3
    assert queries(Shape(4, 8, 4))["the centre"] == (4, 2)
