"""Networks from data, and what they cost once built."""

from .gates import gate_statistics as gate_statistics
from .gates import recorded as recorded
from .insertion import insert as insert
from .measure import Measured as Measured
from .measure import measure as measure
from .measure import refuse_difference as refuse_difference
from .module_statistics import GateStatistics as GateStatistics
from .module_statistics import ModuleStatistics as ModuleStatistics
from .module_statistics import as_plain as as_plain
from .module_statistics import reason_dead as reason_dead
from .resnet import build as build
