"""Every mechanism by its kind: the one list that space, builders and tests read."""

from typing import Annotated

from pydantic import Field

from .cbam import CBAM
from .criss_cross import CrissCross
from .dual import Dual
from .gam import GAM
from .mechanism import Mechanism
from .non_local import NonLocal
from .se import SE

Attention = Annotated[SE | CBAM | NonLocal | Dual | CrissCross | GAM, Field(discriminator="kind")]
MECHANISMS: dict[str, type[Mechanism]] = {
    "se": SE,
    "cbam": CBAM,
    "non_local": NonLocal,
    "dual": Dual,
    "criss_cross": CrissCross,
    "gam": GAM,
}
