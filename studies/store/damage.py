"""Rows that something else wrote to: what cannot be read is refused in one line.

SQLite keeps a value of any type in any column, and a disk or another program may change a file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from typing import Any, TypeVar

from sqlalchemy import inspect
from sqlalchemy.orm import DeclarativeBase

from space import Refusal

WAY_OUT = "restore a copy of the database, or name another with --storage"
# What reading a value that is not what was written ends in, in SQLAlchemy's, Optuna's or our code.
SIGNS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)

Row = TypeVar("Row", bound=DeclarativeBase)


@contextmanager
def undamaged(what: str) -> Iterator[None]:
    """Let stored values be read within, or around a function that does only that.

    Raises:
        Refusal: a value is not what a writer of ours stores.
    """
    try:
        yield
    except Refusal:
        raise
    except SIGNS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Refusal(f"{what} cannot be read: {reason:.200}; {WAY_OUT}") from error


def typed(row: Row) -> Row:
    """Return the row whose values have the types of their columns.

    Raises:
        Refusal: one has not; names the table and the column.
    """
    for column in inspect(type(row)).columns:
        value = getattr(row, column.key)
        if not _fits(value, column.type.python_type, is_optional=bool(column.nullable)):
            raise Refusal(
                f"{column.table.name}.{column.key} must be {column.type.python_type.__name__}, "
                f"got {value!r:.40}; {WAY_OUT}"
            )
    return row


def _fits(value: Any, kind: type, *, is_optional: bool) -> bool:  # noqa: ANN401 - anything stored
    if value is None:
        return is_optional
    if kind is float:
        return isinstance(value, float | int) and isfinite(value)
    return isinstance(value, kind)
