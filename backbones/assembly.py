"""Stages from finished blocks: what an exported `model.py` puts its network together with."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from space.place import POSITIONS

from .block import Attention


def standing(**modules: Sequence[nn.Module]) -> Attention:
    """Return what stands in each place of a block, applied in order; nothing is the identity."""
    return {one: nn.Sequential(*modules.get(one, ())) for one in POSITIONS}


def stage(*blocks: nn.Module, end: Sequence[nn.Module] = ()) -> nn.Sequential:
    """Return the blocks by name, then what stands behind them."""
    parts = {f"block{number}": block for number, block in enumerate(blocks, start=1)}
    return nn.Sequential(OrderedDict(**parts, end=nn.Sequential(*end)))
