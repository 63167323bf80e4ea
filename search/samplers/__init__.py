"""Who proposes the next architecture."""

from .belief import capped as capped
from .objective import Objective as Objective
from .objective import objective_of as objective_of
from .replicates import most_decisive as most_decisive
from .replicates import replicate_is_due as replicate_is_due
from .table import SAMPLERS as SAMPLERS
from .table import UNREADING as UNREADING
from .table import Ask as Ask
from .table import make_sampler as make_sampler
