"""A network as one file of plain PyTorch: `standalone(architecture)`.

Its definitions are those of this project, word for word, as far as the network needs them, and
`build` calls them in the same order as `backbones.build`: equal names and shapes, and from one
seed equal weights.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from textwrap import wrap

from space import Architecture, Backbone, BlockShapes, Shape, Slot, placements_in_words, plan
from space.place import POSITIONS

from .assembly import stage, standing
from .attention import BUILDERS, Gained
from .block import BLOCK_CLASSES, PadShortcut, convolution
from .calls import Call, listed, sizes_call, written
from .excerpts import excerpt
from .sources import Place

WIDTH = 96  # of the docstring
STEM, HEAD = Place("backbones.resnet", "_stem"), Place("backbones.resnet", "_head")
PARTS = (stage, standing, Shape, BlockShapes, PadShortcut, convolution, Gained)
MODULES = (*PARTS, *BLOCK_CLASSES.values(), *BUILDERS.values())


def standalone(architecture: Architecture, comment: str = "") -> str:
    """Return the text of a Python file whose `build()` returns the network; it needs torch only.

    The comment becomes part of the file's docstring.
    """
    backbone, slots = architecture.plain_backbone(), plan(architecture)
    functions = [
        *(_stage(backbone, number, slots) for number in backbone.numbers()),
        _build(backbone, architecture.num_classes),
    ]
    definitions = excerpt(_called(functions, slots))
    parts = [definitions, *functions]
    return f"{_docstring(architecture, comment)}\n\n" + "\n\n\n".join(parts) + "\n"


def _docstring(architecture: Architecture, comment: str) -> str:
    side = architecture.plain_backbone().side
    what = f"{placements_in_words(architecture)} on {architecture.backbone}, in plain PyTorch."
    makes = f"`build()` returns the network, for images of 3 x {side} x {side}."
    text = "\n".join([*wrap(what, WIDTH), "", makes, *comment.splitlines()])
    quotes = '"' * 3
    safe = text.replace("\\", "\\\\").replace(quotes, "'" * 3)  # whatever a study is called
    return f"{quotes}{safe}\n{quotes}"


def _called(functions: Sequence[str], slots: Iterable[Slot]) -> list[Place]:
    """Return where that is defined which the functions call by name."""
    known = {one.__name__: Place(one.__module__, one.__name__) for one in MODULES}
    known |= {one.name: one for one in (STEM, HEAD)}
    for slot in slots:
        sizes = type(slot.sizes)
        known[sizes.__name__] = Place(sizes.__module__, sizes.__name__)
    used = {
        node.id: None  # in their order
        for text in functions
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Name)
    }
    return [known[name] for name in used if name in known]


def _build(backbone: Backbone, num_classes: int) -> str:
    parts = (
        f"stem={STEM.name}({backbone.stem_width})",
        *(f"stage{number}=stage{number}()" for number in backbone.numbers()),
        f"head={HEAD.name}({backbone.stages[-1].width}, {num_classes})",
    )
    network = Call("return nn.Sequential(", (Call("OrderedDict(", parts),))
    return _function("build", "the network, freshly drawn from torch's generator", network)


def _stage(backbone: Backbone, number: int, slots: Sequence[Slot]) -> str:
    """Return the function that makes a stage."""
    own = [slot for slot in slots if slot.stage == number]
    blocks = [
        _block(backbone, number, block, [slot for slot in own if slot.block == block])
        for block in range(1, backbone.stages[number - 1].num_blocks + 1)
    ]
    parts = list(_repeated(blocks))
    end = _at("stage_end", own)
    if end:
        parts.append(listed("end", end))
    shapes = backbone.block_shapes(number, 1)
    what = f"{_counted(len(blocks))} from {shapes.entering} to {shapes.leaving}"
    return _function(f"stage{number}", what, Call("return stage(", tuple(parts)))


def _function(name: str, what: str, returned: Call) -> str:
    body = f'    """Return {what}."""\n    {written(returned, 4)}'
    return f"def {name}() -> nn.Sequential:\n{body}"


def _counted(number: int) -> str:
    return f"{number} block{'s' if number > 1 else ''}"


def _repeated(blocks: Iterable[Call]) -> Iterator[Call]:
    """Yield runs of equal blocks as one."""
    for block, equal in groupby(blocks):
        yield replace(block, times=len(list(equal)))


def _block(backbone: Backbone, number: int, block: int, slots: Sequence[Slot]) -> Call:
    shapes = backbone.block_shapes(number, block)
    stride = backbone.stages[number - 1].stride if block == 1 else 1
    inside = [(one, _at(one, slots)) for one in POSITIONS if one != "stage_end"]
    standing_there = tuple(listed(one, modules) for one, modules in inside if modules)
    return Call(
        f"{BLOCK_CLASSES[backbone.block].__name__}(",
        (
            Call(
                "BlockShapes(",
                (_shape(shapes.entering), _shape(shapes.inner), _shape(shapes.leaving)),
            ),
            f"stride={stride}",
            _shortcut(backbone, shapes, stride).named("shortcut"),
            Call("standing(", standing_there).named("attention"),
        ),
    )


def _shape(shape: Shape) -> str:
    return f"Shape({shape.channels}, {shape.height}, {shape.width})"


def _shortcut(backbone: Backbone, shapes: BlockShapes, stride: int) -> Call:
    """Return the call for what `block.shortcut_of` returns."""
    entering, width = shapes.entering.channels, shapes.leaving.channels
    if shapes.entering == shapes.leaving:
        return Call("nn.Identity(", ())
    if backbone.shortcut == "pad":
        return Call("PadShortcut(", (f"{width - entering}", f"{stride}"))
    conv = Call("convolution(", (f"{entering}", f"{width}", "1", f"{stride}"))
    return Call("nn.Sequential(", (conv, Call("nn.BatchNorm2d(", (f"{width}",))))


def _at(position: str, slots: Iterable[Slot]) -> tuple[Call, ...]:
    """Return the calls for what stands at a position, in the order in which it is applied."""
    own = [slot for slot in slots if slot.position == position]
    return tuple(_module(slot) for slot in sorted(own, key=lambda slot: slot.order))


def _module(slot: Slot) -> Call:
    builder = BUILDERS[slot.attention.kind]
    call = Call(f"{builder.__name__}(", (f"{slot.shape.channels}", sizes_call(slot.sizes)))
    return Call("Gained(", (call,)) if slot.gain == "zero" else call
