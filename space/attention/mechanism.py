"""What every attention mechanism states about itself, before any tensor exists."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from ..shape import Shape

Choice = int | str | bool | float
UsualPosition = Literal["residual", "stage_end"]
QUADRATIC_POSITIONS = 256  # an N x N map at 32x32 is 4 MB an image: N = 256 is the most proposed


@dataclass(frozen=True, slots=True)
class Sizes:
    """The derived widths and effective switches of one module: all that its network depends on."""


class Mechanism(BaseModel, ABC):
    """Hyperparameters of one mechanism, its rules, and its cost in closed form.

    `reason_invalid` says why it cannot be built on a shape, `reason_unproposed` why a search
    does not try it there although it can be built. What `starts_as_identity` returns its input
    until it has learned something.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: str
    usual_position: ClassVar[UsualPosition]
    starts_as_identity: ClassVar[bool] = False
    searched: ClassVar[Mapping[str, tuple[Choice, ...]]]

    @abstractmethod
    def sizes(self, shape: Shape) -> Sizes:
        """Return what the module is built from on this shape."""

    @abstractmethod
    def macs(self, shape: Shape) -> int:
        """Return multiply-accumulates of convolutions, linear layers and attention products."""

    @abstractmethod
    def params(self, shape: Shape) -> int:
        """Return the number of trainable numbers."""

    @abstractmethod
    def in_words(self) -> str:
        """Return the kind and the hyperparameters that matter, short enough for a table."""

    def reason_invalid(self, shape: Shape) -> str | None:
        """Return the rule that forbids building this on the shape, or None."""
        return None

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Return the reason a search does not propose this on the shape, or None."""
        return None

    def is_active(self, name: str) -> bool:
        """Say whether the hyperparameter changes anything, given the others."""
        return True


def one_of(*choices: Choice) -> Callable[[Choice], Choice]:
    """Return a validator that names the choices when it refuses."""

    def check(value: Choice) -> Choice:
        if value not in choices or type(value) not in {type(choice) for choice in choices}:
            listed = ", ".join(str(choice) for choice in choices)
            raise ValueError(f"must be one of {listed}, got {value}")
        return value

    return check


def bottleneck(channels: int, reduction: int, min_width: int) -> int:
    """Return M = max(M_min, C // r), the width between two projections."""
    return max(min_width, channels // reduction)


def kernel_reason(kernel: int, shape: Shape) -> str | None:
    """Say why a kernel is larger than is worth proposing on this map."""
    smallest = min(shape.height, shape.width)
    if kernel > smallest:
        return f"kernel must be at most the map's side {smallest}, got {kernel}"
    return None


def quadratic_reason(shape: Shape) -> str | None:
    """Say why an N x N map is too large to be proposed on this shape."""
    if shape.positions > QUADRATIC_POSITIONS:
        return (
            f"an attention map over all positions is proposed for at most {QUADRATIC_POSITIONS} "
            f"of them, got {shape.positions}"
        )
    return None


def narrow_reason(name: str, width: int, least: int) -> str | None:
    """Say why a derived width is too small to be worth proposing."""
    return f"{name} must be at least {least}, got {width}" if width < least else None
