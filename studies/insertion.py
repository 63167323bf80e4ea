"""Placements in the networks of torchvision: in one line, and as a file that makes one."""

from space import Architecture, placements_in_words

IN_TORCHVISION = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
FILE = '''"""{what}, placed in torchvision's {name}.

Needs attention-search and torchvision. The placements are those of architecture.yaml beside this
file{fourth}.
"""

from pathlib import Path

import torchvision
from torch import nn

import backbones
import space


def build(weights: str | None = None, gain: str | None = None) -> nn.Module:
    """Return torchvision's {name} with the placements, for images of 224 x 224.

    `weights` are torchvision's, say "DEFAULT" for those of ImageNet. A `gain` of "zero" keeps the
    outputs that the network has with them until it is trained on; without it most mechanisms
    change the outputs at once.
    """
    found = space.read_architecture(Path(__file__).with_name("architecture.yaml")).stages
    changed = {{}} if gain is None else {{"gain": gain}}
    stages = [[one.model_copy(update=changed) for one in placements] for placements in found]
    model = torchvision.models.{name}(weights=weights)
    return backbones.insert(model, {stages})
'''


def insertion(architecture: Architecture) -> str:
    """Return how the placements get into a network of torchvision's, which has four stages."""
    model = f"torchvision.models.{torchvision_name(architecture)}(weights='DEFAULT')"
    stages = "architecture.stages"
    if _lacks_fourth(architecture):
        stages = "(*architecture.stages, ())"  # the fourth stays plain
    return (
        "into torchvision's, whose outputs stay with `gain: zero` in each placement: "
        f"backbones.insert({model}, {stages})"
    )


def insertion_file(architecture: Architecture) -> str:
    """Return a Python file whose `build()` does the same, beside `architecture.yaml`."""
    lacks_fourth = _lacks_fourth(architecture)
    return FILE.format(
        what=placements_in_words(architecture),
        name=torchvision_name(architecture),
        fourth="; torchvision's fourth stage stays plain" if lacks_fourth else "",
        stages="[*stages, []]" if lacks_fourth else "stages",
    )


def torchvision_name(architecture: Architecture) -> str:
    """Return the network of torchvision's that is nearest, with the same kind of blocks."""
    backbone = architecture.plain_backbone()
    if backbone.name in IN_TORCHVISION:
        return backbone.name
    return "resnet50" if backbone.block == "bottleneck" else "resnet18"


def _lacks_fourth(architecture: Architecture) -> bool:
    return len(architecture.stages) < 4
