"""Networks from data, and what they cost once built."""

from .measure import Measured as Measured
from .measure import measure as measure
from .measure import refuse_difference as refuse_difference
from .resnet import build as build
