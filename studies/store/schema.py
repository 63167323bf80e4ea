"""All our tables together, and how they come into a database."""

from sqlalchemy import Engine

from . import extra_tables as extra_tables  # its tables are known once it is imported
from .tables import Table as Table


def create_tables(engine: Engine) -> None:
    """Create the tables that are missing."""
    Table.metadata.create_all(engine)
