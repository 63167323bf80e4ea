"""What an attention module computes on the way to its output, for looking at it.

Shapes: B images, C channels, H x W positions; a row is what one query takes from each of K keys.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

Form = Literal["vector", "map", "tensor", "rows", "scalar"]


@dataclass(frozen=True, slots=True)
class Gate:
    """One computed quantity, images first (a scalar has none).

    `limits` are the values it can come near but not pass; None where it has no bounds. Rows have
    `own`, what each query takes from itself, where queries are among the keys.
    """

    form: Form
    values: Tensor
    limits: tuple[float, float] | None = (0.0, 1.0)
    own: Tensor | None = None


def vector(values_BC11: Tensor, limits: tuple[float, float] | None = (0.0, 1.0)) -> Gate:
    """Return a gate of one number for each image and channel."""
    return Gate("vector", values_BC11, limits)


def spatial_map(values_B1HW: Tensor) -> Gate:
    """Return a gate in (0, 1) of one number for each image and place of a plane."""
    return Gate("map", values_B1HW)


def tensor(values_BCHW: Tensor, limits: tuple[float, float] | None = (0.0, 1.0)) -> Gate:
    """Return a gate of the size of the map itself."""
    return Gate("tensor", values_BCHW, limits)


def rows(
    weights_QK: Tensor,
    *,
    limits: tuple[float, float] | None = (0.0, 1.0),
    own: Tensor | None = None,
) -> Gate:
    """Return attention weights (… x Q x K); a square has what is taken from itself as diagonal.

    Softmax rows have limits and sum to 1; rows without limits are free weights.
    """
    if own is None and weights_QK.shape[-1] == weights_QK.shape[-2]:
        own = weights_QK.diagonal(dim1=-2, dim2=-1)
    return Gate("rows", weights_QK, limits, own)


def scalar(value: Tensor) -> Gate:
    """Return a learned gain."""
    return Gate("scalar", value, None)


class AttentionModule(nn.Module, ABC):
    """A module that returns its input's shape and can say what it computes on the way."""

    @abstractmethod
    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return a map of the input's shape."""

    @abstractmethod
    def gates(self, x_BCHW: Tensor) -> dict[str, Gate]:
        """Return, by name, what `forward` computes for this input; the module stays as it is."""
