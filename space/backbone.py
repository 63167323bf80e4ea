"""Plain residual networks as data: stem, stages, shortcut."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator

from .refusal import Refusal
from .shape import Shape

IMAGE_SIDE = 32  # CIFAR
NUM_CLASSES = 10


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one width; only the first of them may halve the map."""

    width: int
    num_blocks: int
    stride: int


@dataclass(frozen=True, slots=True)
class Backbone:
    """A 3x3 stem of the first stage's width, stages of basic blocks, mean, linear.

    `shortcut` is what happens where the shape changes: `pad` sub-samples and pads with zero
    channels (He et al., option A), `projection` is a strided 1x1 convolution with a norm (B).
    """

    name: str
    shortcut: Literal["pad", "projection"]
    stages: tuple[Stage, ...]

    @property
    def depth(self) -> int:
        """Return the number of weighted layers, as in the network's name."""
        return 2 + 2 * sum(stage.num_blocks for stage in self.stages)

    def shapes(self) -> tuple[Shape, ...]:
        """Return the shape at the output of each stage."""
        side, found = IMAGE_SIDE, []
        for stage in self.stages:
            side //= stage.stride
            found.append(Shape(stage.width, side, side))
        return tuple(found)


def _cifar(num_blocks: int) -> tuple[Stage, ...]:
    """Return He et al., sec. 4.2: widths 16, 32, 64 and n blocks each, depth 6n + 2."""
    return (Stage(16, num_blocks, 1), Stage(32, num_blocks, 2), Stage(64, num_blocks, 2))


def _imagenet(*num_blocks: int) -> tuple[Stage, ...]:
    """Return He et al., table 1, without the stem's two halvings."""
    return tuple(
        Stage(64 * 2**index, number, 1 if index == 0 else 2)
        for index, number in enumerate(num_blocks)
    )


# Source: He et al., Deep Residual Learning, arXiv:1512.03385. Within a family from small to large.
FAMILIES: tuple[tuple[Backbone, ...], ...] = (
    tuple(Backbone(f"resnet{6 * n + 2}", "pad", _cifar(n)) for n in (1, 2, 3, 5, 7, 9, 18)),
    (
        Backbone("resnet10", "projection", _imagenet(1, 1, 1, 1)),
        Backbone("resnet18", "projection", _imagenet(2, 2, 2, 2)),
        Backbone("resnet34", "projection", _imagenet(3, 4, 6, 3)),
    ),
)
BACKBONES: dict[str, Backbone] = {one.name: one for family in FAMILIES for one in family}


def backbone(name: str) -> Backbone:
    """Return the named backbone.

    Raises:
        Refusal: no backbone has this name.
    """
    if name not in BACKBONES:
        raise Refusal(f"backbone must be one of {', '.join(BACKBONES)}, got {name}")
    return BACKBONES[name]


def _known(name: str) -> str:
    return backbone(name).name


BackboneName = Annotated[str, AfterValidator(_known)]


def references(name: str) -> tuple[Backbone, ...]:
    """Return the plain networks to compare with: one size smaller, one and two larger."""
    family = next(family for family in FAMILIES if backbone(name) in family)
    index = family.index(backbone(name))
    return family[max(0, index - 1) : index] + family[index + 1 : index + 3]
