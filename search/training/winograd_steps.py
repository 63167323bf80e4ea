"""The steps of a convolution by tiles, F(4x4, 3x3), and their transposes.

A tile of 6x6 positions gives 4x4 outputs; tiles and filters are transformed to 36 points, and a
pair of channels takes one product at each of them, where the direct form takes 144.
Source: Lavin & Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308, sec. 4.
Shapes: B images, C channels in, K out, H x W positions; V x U tiles of an image, T of all; P the
36 points of a tile, I along a side; O outputs along a side.
"""

from functools import cache
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

OUTPUTS, POINTS = 4, 6  # along a side of a tile


class Transforms(NamedTuple):
    """The paper's matrices, each applied to both sides of a tile, a filter or a product."""

    tile_II: Tensor  # B^T
    filter_I3: Tensor  # G
    output_OI: Tensor  # A^T


class Overlap(NamedTuple):
    """Points of one tile that lie on outputs of another, along one side of the map."""

    points: slice
    tiles: slice
    outputs: slice
    neighbours: slice


ALL, FIRST, LAST = slice(None), slice(0, 1), slice(-1, None)
ITSELF = Overlap(slice(1, -1), ALL, ALL, ALL)
BEFORE = Overlap(FIRST, slice(1, None), LAST, slice(None, -1))
BEHIND = Overlap(LAST, slice(None, -1), FIRST, slice(1, None))


@cache
def transforms(dtype: torch.dtype) -> Transforms:
    """Return the matrices of F(4x4, 3x3)."""
    tile = [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0]]
    tile += [[0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]]
    filters = [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]
    output = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
    with torch.inference_mode(mode=False):  # a validation may be the first to ask
        tile_II, filter_I3, output_OI = (
            torch.tensor(rows, dtype=dtype) for rows in (tile, filters, output)
        )
        return Transforms(tile_II, filter_I3 / 24, output_OI)


def _on_both_sides(matrix: Tensor, squares: Tensor) -> Tensor:
    """Return `m s m^T` for squares that lie along the first two dimensions, in one piece."""
    side = matrix.shape[1]
    rows = torch.mm(matrix, squares.reshape(side, -1))
    return torch.matmul(matrix, rows.view(len(matrix), side, -1))


def filters_at_points(weight_KC33: Tensor) -> Tensor:
    """Return the filters at the points."""
    weight_33KC = weight_KC33.permute(2, 3, 0, 1)
    points = _on_both_sides(transforms(weight_KC33.dtype).filter_I3, weight_33KC)
    return points.view(POINTS**2, *weight_KC33.shape[:2])


def weight_slope(slope_PKC: Tensor) -> Tensor:
    """Return the transpose of `filters_at_points`."""
    matrix_3I = transforms(slope_PKC.dtype).filter_I3.mT
    slope_33KC = _on_both_sides(matrix_3I, slope_PKC.view(POINTS, POINTS, -1))
    return slope_33KC.view(3, 3, *slope_PKC.shape[1:]).permute(2, 3, 0, 1)


def tiles_at_points(x_BHWC: Tensor) -> Tensor:
    """Return the tiles of a map with a border of zeros, at the points."""
    padded_BHWC = functional.pad(x_BHWC, (0, 0, 1, 1, 1, 1))
    tiles_BVUCII = padded_BHWC.unfold(1, POINTS, OUTPUTS).unfold(2, POINTS, OUTPUTS)
    tiles_IIBVUC = tiles_BVUCII.permute(4, 5, 0, 1, 2, 3)
    points = _on_both_sides(transforms(x_BHWC.dtype).tile_II, tiles_IIBVUC)
    return points.view(POINTS**2, -1, x_BHWC.shape[3])


def add_tiles(slope_PTC: Tensor, x_BHWC: Tensor) -> None:
    """Write the transpose of `tiles_at_points` to the map: tiles add up where they overlap."""
    x_OOBVUC = _by_output(x_BHWC)
    matrix_II = transforms(slope_PTC.dtype).tile_II.mT
    tiles = _on_both_sides(matrix_II, slope_PTC.view(POINTS, POINTS, -1))
    tiles_IIBVUC = tiles.view(POINTS, POINTS, *x_OOBVUC.shape[2:])
    x_OOBVUC.copy_(tiles_IIBVUC[1:-1, 1:-1])
    for down, across in list(product((ITSELF, BEFORE, BEHIND), repeat=2))[1:]:
        part = tiles_IIBVUC[down.points, across.points, :, down.tiles, across.tiles]
        x_OOBVUC[down.outputs, across.outputs, :, down.neighbours, across.neighbours] += part


def write_outputs(points_PTK: Tensor, y_BHWK: Tensor) -> None:
    """Write the outputs of products at the points to the map."""
    y_OOBVUK = _by_output(y_BHWK)
    matrix_OI = transforms(points_PTK.dtype).output_OI
    outputs = _on_both_sides(matrix_OI, points_PTK.view(POINTS, POINTS, -1))
    y_OOBVUK.copy_(outputs.view_as(y_OOBVUK))


def slopes_at_points(slope_BHWK: Tensor) -> Tensor:
    """Return the transpose of `write_outputs`: slopes of the products at the points."""
    matrix_IO = transforms(slope_BHWK.dtype).output_OI.mT
    points = _on_both_sides(matrix_IO, _by_output(slope_BHWK))
    return points.view(POINTS**2, -1, slope_BHWK.shape[3])


def _by_output(map_BHWC: Tensor) -> Tensor:
    """Return a view of the map in which a tile's outputs come first."""
    map_BVOUOC = map_BHWC.unflatten(1, (-1, OUTPUTS)).unflatten(3, (-1, OUTPUTS))
    map_OOBVUC: Tensor = map_BVOUOC.permute(2, 4, 0, 1, 3, 5)
    return map_OOBVUC
