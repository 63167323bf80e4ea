"""The mechanisms as modules: one file each, one table from kind to module."""

from .gain import Gained as Gained
from .gate import AttentionModule as AttentionModule
from .gate import Gate as Gate
from .table import BUILDERS as BUILDERS
