"""Plain residual networks as data: stem, stages, blocks, shortcut."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator

from .place import Position
from .refusal import Refusal
from .shape import Shape

IMAGE_SIDE = 32  # CIFAR
NUM_CLASSES = 10
EXPANSION = 4  # of a bottleneck's last convolution


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks that send out one width; only the first of them may halve the map."""

    width: int
    num_blocks: int
    stride: int


@dataclass(frozen=True, slots=True)
class BlockShapes:
    """What enters a block, what its first convolution sends out, and what leaves it."""

    entering: Shape
    inner: Shape
    leaving: Shape


@dataclass(frozen=True, slots=True)
class Backbone:
    """A stem, stages of residual blocks, mean, linear.

    A `basic` block has two 3x3 convolutions; a `bottleneck` 1x1, 3x3 (which has the stride), 1x1,
    the inner ones a quarter as wide. `shortcut` is what happens where the shape changes: `pad`
    sub-samples and pads with zero channels (He et al., option A), `projection` is a strided 1x1
    convolution with a norm (B). `side` is the map's side behind the stem.
    """

    name: str
    shortcut: Literal["pad", "projection"]
    stages: tuple[Stage, ...]
    block: Literal["basic", "bottleneck"] = "basic"
    stem_width: int = 64
    side: int = IMAGE_SIDE

    @property
    def depth(self) -> int:
        """Return the number of weighted layers, as in the network's name."""
        per_block = 2 if self.block == "basic" else 3
        return 2 + per_block * sum(stage.num_blocks for stage in self.stages)

    def shapes(self) -> tuple[Shape, ...]:
        """Return the shape at the output of each stage."""
        return tuple(self.block_shapes(number, 1).leaving for number in self.numbers())

    def numbers(self) -> range:
        """Return the numbers of the stages, from 1."""
        return range(1, len(self.stages) + 1)

    def block_shapes(self, stage: int, block: int) -> BlockShapes:
        """Return the shapes around and within a block; stages and blocks count from 1."""
        before, here = self._entering(stage), self.stages[stage - 1]
        side = -(-before.height // here.stride)  # a padded 3x3 convolution rounds up
        leaving = Shape(here.width, side, side)
        entering = before if block == 1 else leaving
        if self.block == "basic":
            return BlockShapes(entering, leaving, leaving)
        inner = Shape(here.width // EXPANSION, entering.height, entering.width)
        return BlockShapes(entering, inner, leaving)

    def shape_at(self, stage: int, block: int, position: Position) -> Shape:
        """Return what attention sees there."""
        shapes = self.block_shapes(stage, block)
        return {"pre": shapes.entering, "after_conv1": shapes.inner}.get(position, shapes.leaving)

    def blocks(self) -> Iterator[BlockShapes]:
        """Yield the shapes of every block, in order."""
        for number, stage in zip(self.numbers(), self.stages, strict=True):
            for block in range(1, stage.num_blocks + 1):
                yield self.block_shapes(number, block)

    def _entering(self, stage: int) -> Shape:
        """Return what enters a stage."""
        shape = Shape(self.stem_width, self.side, self.side)
        for earlier in self.stages[: stage - 1]:
            side = -(-shape.height // earlier.stride)
            shape = Shape(earlier.width, side, side)
        return shape


def _cifar(num_blocks: int) -> Backbone:
    """Return He et al., sec. 4.2: widths 16, 32, 64 and n blocks each, depth 6n + 2."""
    name = f"resnet{6 * num_blocks + 2}"
    return Backbone(name, "pad", stages_of(16, (num_blocks,) * 3), stem_width=16)


def _wide(num_blocks: int) -> Backbone:
    """Return three stages of 64, 128 and 256 with n blocks each."""
    name = f"resnet{6 * num_blocks + 2}w64"
    return Backbone(name, "projection", stages_of(64, (num_blocks,) * 3))


def _basic(depth: int, *num_blocks: int) -> Backbone:
    """Return He et al., table 1, without the stem's two halvings."""
    return Backbone(f"resnet{depth}", "projection", stages_of(64, num_blocks))


def _bottleneck(depth: int, *num_blocks: int) -> Backbone:
    """Return the same with bottlenecks."""
    stages = stages_of(64 * EXPANSION, num_blocks)
    return Backbone(f"resnet{depth}", "projection", stages, block="bottleneck")


def stages_of(width: int, num_blocks: tuple[int, ...]) -> tuple[Stage, ...]:
    """Return stages that double the width and, from the second on, halve the map."""
    return tuple(
        Stage(width * 2**index, number, 1 if index == 0 else 2)
        for index, number in enumerate(num_blocks)
    )


# Source: He et al., Deep Residual Learning, arXiv:1512.03385. Within a family from small to large.
FAMILIES: tuple[tuple[Backbone, ...], ...] = (
    tuple(_cifar(n) for n in (1, 2, 3, 5, 7, 9, 18)),
    (_basic(10, 1, 1, 1, 1), _basic(18, 2, 2, 2, 2), _basic(34, 3, 4, 6, 3)),
    (
        _bottleneck(26, 2, 2, 2, 2),
        _bottleneck(50, 3, 4, 6, 3),
        _bottleneck(101, 3, 4, 23, 3),
        _bottleneck(152, 3, 8, 36, 3),
    ),
    tuple(_wide(n) for n in (1, 2, 3, 4)),
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
