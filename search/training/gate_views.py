"""What is to be seen of each kind of gate, as plain arrays.

Shapes: B images, C channels, H x W positions, N = H·W queries, K keys (N, or those of a smaller
map), E heads, M descriptors, S = H + W: a column, then a row; Y x X is any plane.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isqrt

import numpy as np

from backbones.attention import Gate
from space import Shape, Slot
from studies.pictures.facts import FloatArray, View

MOST_HEADS = 4  # that are shown one by one
MOST_DESCRIPTORS = 4


def gate_views(slot: Slot, gates: Mapping[str, Gate]) -> tuple[View, ...]:
    """Return what is to be seen of a module's gates; scalars are text only."""
    return tuple(view for name, gate in gates.items() for view in _of_gate(slot, name, gate))


def joined(parts: list[tuple[View, ...]]) -> tuple[View, ...]:
    """Return the same views of further images as one."""
    return tuple(
        replace(one, values=np.concatenate([view.values for view in views]))
        for views in zip(*parts, strict=True)
        for one in views[:1]
    )


def queries(shape: Shape) -> dict[str, tuple[int, int]]:
    """Return the positions whose rows are shown: row and column."""
    middle = (shape.height // 2, shape.width // 2)
    return {
        "the centre": middle,
        "the top left": (0, 0),
        "the bottom right": (shape.height - 1, shape.width - 1),
    }


def _of_gate(slot: Slot, name: str, gate: Gate) -> list[View]:
    values = as_array(gate)
    if gate.form == "vector":
        return [View(name, "every channel", "bars", values[:, :, 0, 0])]
    if gate.form == "map":
        shown = PLANES.get((slot.attention.kind, name))
        return [View(name, shown or "every place", "plane" if shown else "map", values[:, 0])]
    if gate.form == "tensor":
        return [
            View(name, "mean over channels", "map", values.mean(axis=1)),
            View(name, "mean over places", "bars", values.mean(axis=(2, 3))),
        ]
    if gate.form == "rows":
        return ROWS[slot.attention.kind, name.rstrip("0123456789")](name, values, slot.shape)
    return []


def as_array(gate: Gate) -> FloatArray:
    """Return the gate's values as numpy has them."""
    values: FloatArray = gate.values.float().numpy()
    return values


def _by_query(name: str, values_BNK: FloatArray, shape: Shape) -> list[View]:
    """Return what some positions take from the map of the keys, which may be a smaller one."""
    times = isqrt(shape.positions // values_BNK.shape[-1])  # 2 where keys are pooled
    height, width = shape.height // times, shape.width // times
    return [
        View(
            name,
            f"taken by {where}",
            "map",
            values_BNK[:, row * shape.width + column].reshape(-1, height, width),
            _share(row, column, shape),
        )
        for where, (row, column) in queries(shape).items()
    ]


def _by_head(name: str, values_BENN: FloatArray, shape: Shape) -> list[View]:
    """Return what positions take in the mean of the heads, and the centre in some of them."""
    mean_BNN, alone = values_BENN.mean(axis=1), values_BENN.swapaxes(0, 1)[:MOST_HEADS]
    views = [_titled("mean of heads", one) for one in _by_query(name, mean_BNN, shape)]
    for head, values_BNN in enumerate(alone, start=1):
        views.append(_titled(f"head {head}", _by_query(name, values_BNN, shape)[0]))
    return views


def _titled(part: str, view: View) -> View:
    return replace(view, title=f"{part}, {view.title}")


def _by_cross(name: str, values_BHWS: FloatArray, shape: Shape) -> list[View]:
    """Return what some positions take from their column and their row; elsewhere is nothing."""
    views = []
    for where, (row, column) in queries(shape).items():
        taken_BS = values_BHWS[:, row, column]
        map_BHW = np.full((len(taken_BS), shape.height, shape.width), np.nan)
        map_BHW[:, :, column] = taken_BS[:, : shape.height]
        map_BHW[:, row] = taken_BS[:, shape.height :]  # later: the row counts the position itself
        place = _share(row, column, shape)
        views.append(View(name, f"taken by {where}", "map", map_BHW, place))
    return views


def _shared(name: str, values_B1N: FloatArray, shape: Shape) -> list[View]:
    """Return what every position takes alike."""
    return [View(name, "taken by all", "map", values_B1N.reshape(-1, *_map(shape)))]


def _gathered(name: str, values_BMN: FloatArray, shape: Shape) -> list[View]:
    """Return where some descriptors are gathered from, or who takes them."""
    return [
        View(name, f"descriptor {one + 1}", "map", values_BMN[:, one].reshape(-1, *_map(shape)))
        for one in range(min(values_BMN.shape[1], MOST_DESCRIPTORS))
    ]


def _distributed(name: str, values_BNM: FloatArray, shape: Shape) -> list[View]:
    return _gathered(name, values_BNM.swapaxes(1, 2), shape)


def _channels(name: str, values_BCC: FloatArray, _: Shape) -> list[View]:
    return [View(name, "a row is what one takes from each", "plane", values_BCC)]


def _map(shape: Shape) -> tuple[int, int]:
    return shape.height, shape.width


def _share(row: int, column: int, shape: Shape) -> tuple[float, float]:
    """Return the middle of a position as shares of the map's height and width."""
    return (row + 0.5) / shape.height, (column + 0.5) / shape.width


# What a row is taken by, and from: sizes alone do not tell 64 channels from 8 x 8 positions.
ROWS: dict[tuple[str, str], Callable[[str, FloatArray, Shape], list[View]]] = {
    ("non_local", "pairs"): _by_query,
    ("dual", "position"): _by_query,
    ("dual", "channel"): _channels,
    ("criss_cross", "pass"): _by_cross,
    ("gc", "context"): _shared,
    ("double", "gathered"): _gathered,
    ("double", "distributed"): _distributed,
    ("mhsa", "heads"): _by_head,
}
# Gates on a plane that is not the image's: what its rows and columns are.
PLANES = {
    ("triplet", "channel_width"): "channels by width",
    ("triplet", "channel_height"): "channels by height",
}
