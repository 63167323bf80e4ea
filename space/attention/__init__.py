"""The mechanisms as data: one file each, one union over their `kind`."""

from .mechanism import Choice as Choice
from .mechanism import Mechanism as Mechanism
from .mechanism import Sizes as Sizes
from .table import MECHANISMS as MECHANISMS
from .table import Attention as Attention
