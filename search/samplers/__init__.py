"""Who proposes the next architecture."""

from .table import SAMPLERS as SAMPLERS
from .table import make_sampler as make_sampler
