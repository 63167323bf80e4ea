"""Every mechanism's module by its kind; a kind of `space.MECHANISMS` without one fails a test."""

from collections.abc import Callable
from typing import Any, TypeAlias

from .bam import BAM
from .cbam import CBAM
from .coord import Coord
from .criss_cross import CrissCross
from .double import Double
from .dual import Dual
from .eca import ECA
from .gam import GAM
from .gate import AttentionModule
from .gc import GC
from .gct import GCT
from .lka import LKA
from .mhsa import MHSA
from .non_local import NonLocal
from .se import SE
from .simam import SimAM
from .triplet import Triplet

# Channels, then the sizes that `space` derived for this very kind: hence no common type.
Builder: TypeAlias = Callable[[int, Any], AttentionModule]

BUILDERS: dict[str, Builder] = {
    "se": SE,
    "cbam": CBAM,
    "non_local": NonLocal,
    "dual": Dual,
    "criss_cross": CrissCross,
    "gam": GAM,
    "eca": ECA,
    "gct": GCT,
    "bam": BAM,
    "coord": Coord,
    "triplet": Triplet,
    "simam": SimAM,
    "gc": GC,
    "double": Double,
    "mhsa": MHSA,
    "lka": LKA,
}
