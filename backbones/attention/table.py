"""Every mechanism's module by its kind; a kind of `space.MECHANISMS` without one fails a test."""

from collections.abc import Callable
from typing import Any, TypeAlias

from torch import nn

from .cbam import CBAM
from .criss_cross import CrissCross
from .dual import Dual
from .gam import GAM
from .non_local import NonLocal
from .se import SE

# Channels, then the sizes that `space` derived for this very kind: hence no common type.
Builder: TypeAlias = Callable[[int, Any], nn.Module]

BUILDERS: dict[str, Builder] = {
    "se": SE,
    "cbam": CBAM,
    "non_local": NonLocal,
    "dual": Dual,
    "criss_cross": CrissCross,
    "gam": GAM,
}
