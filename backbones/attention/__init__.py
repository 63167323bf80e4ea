"""The mechanisms as modules: one file each, one table from kind to module."""

from .table import BUILDERS as BUILDERS
