"""How tables that an older version made become this version's: one function for each version.

What needs no function here: a new table (it is made where it is first written to, and is empty to
its readers before) and a new setting (`older.py` says what it was before it could be chosen).
"""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

# By the version it leads to. It may find a table missing: then there is nothing to alter.
MIGRATIONS: Mapping[int, Callable[[Connection], None]] = {}
