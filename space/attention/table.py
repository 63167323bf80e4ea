"""Every mechanism by its kind: the one list that space, builders and tests read."""

from typing import Annotated

from pydantic import Field

from .bam import BAM
from .cbam import CBAM
from .coord import Coord
from .criss_cross import CrissCross
from .double import Double
from .dual import Dual
from .eca import ECA
from .gam import GAM
from .gc import GC
from .gct import GCT
from .lka import LKA
from .mechanism import Mechanism
from .mhsa import MHSA
from .non_local import NonLocal
from .se import SE
from .simam import SimAM
from .triplet import Triplet

Attention = Annotated[
    SE
    | CBAM
    | NonLocal
    | Dual
    | CrissCross
    | GAM
    | ECA
    | GCT
    | BAM
    | Coord
    | Triplet
    | SimAM
    | GC
    | Double
    | MHSA
    | LKA,
    Field(discriminator="kind"),
]
MECHANISMS: dict[str, type[Mechanism]] = {
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
