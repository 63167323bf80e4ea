"""The sub-space that is trained whole: six options in each stage, in their usual places.

Sub-grids are nested: the architectures of the first k options come before those that use
another, so that a grid which is cut short holds a complete smaller one.
"""

from itertools import product

from space import Architecture, SearchSpace
from space.baselines import usual_placement
from space.stage_space import Setting

BACKBONES = ("resnet8", "resnet20")  # with three stages
NONE = "none"
OPTIONS = (NONE, "se", "gam", "cbam", "dual", "non_local")
# Published, GAM takes ResNet-8 to 2.6 times its MACs; factorised to 1.1 times.
FIXED: dict[str, Setting] = {"gam": {"variant": "factorised"}}


def architectures(backbone: str, num_options: int = len(OPTIONS)) -> dict[str, Architecture]:
    """Return every architecture of the first options by a name such as `se/none/gam`."""
    searched = SearchSpace(backbone=backbone, kinds=OPTIONS[1:])
    placements = [
        {kind: usual_placement(kind, stage, FIXED.get(kind)) for kind in OPTIONS[1:num_options]}
        for stage in searched.stages
    ]
    names = product(OPTIONS[:num_options], repeat=len(placements))
    return {
        "/".join(name): searched.architecture(
            tuple(stage.get(kind) for stage, kind in zip(placements, name, strict=True))
        )
        for name in sorted(names, key=lambda name: max(map(OPTIONS.index, name)))
    }


def num_options(name: str) -> int:
    """Return how many of the options, in their order, a grid needs to hold this architecture."""
    return 1 + max(OPTIONS.index(kind) for kind in name.split("/"))
