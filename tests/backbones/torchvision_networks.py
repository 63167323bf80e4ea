"""Torchvision's networks and placements in them, for the tests of what is inserted."""

from copy import deepcopy
from functools import cache

import torch
import torchvision
from torch import Tensor, nn

from space import Placement
from space.place import POSITIONS
from space.slot import Stages


@cache
def drawn(name: str, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    model: nn.Module = getattr(torchvision.models, name)()
    return model


def network(name: str, seed: int = 0) -> nn.Module:
    return deepcopy(drawn(name, seed))


def shallow(block: str, **changed: object) -> nn.Module:
    """Return torchvision's network with one block in each layer."""
    found = torchvision.models.resnet
    model: nn.Module = found.ResNet(getattr(found, block), [1] * 4, **changed)
    return model


def placed(kind: str, position: str, blocks: str = "first", gain: str = "plain") -> Placement:
    where = {} if position == "stage_end" else {"blocks": blocks}
    what = {"attention": {"kind": kind}, "position": position, "gain": gain}
    return Placement.model_validate({**what, **where})


def everywhere(kind: str, blocks: str = "first", gain: str = "plain") -> tuple[Placement, ...]:
    """Return the mechanism in all six positions."""
    return tuple(placed(kind, position, blocks, gain) for position in POSITIONS)


def in_second(*placements: Placement) -> Stages:
    return ((), placements, (), ())


def images(side: int = 64) -> Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
