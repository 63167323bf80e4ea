"""Rows that something else wrote to: what cannot be read is refused in one line.

SQLite keeps a value of any type in any column, and a disk or another program may change a file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from math import isfinite
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import DeclarativeBase

from space import Refusal

WAY_OUT = "restore a copy of the database, or name another with --storage"
# What reading a value that is not what was written ends in, in SQLAlchemy's, Optuna's or our code.
SIGNS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)


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


def refuse_other_types(row: object, table: type[DeclarativeBase]) -> None:
    """Refuse a row of the table in which a value has not the type of its column.

    Raises:
        Refusal: names the table, the column and the value.
    """
    for name, kind, is_optional in _columns(table):
        value = getattr(row, name)
        if not _fits(value, kind, is_optional=is_optional):
            raise Refusal(
                f"{table.__tablename__}.{name} must be {kind.__name__}, got {value!r:.40}; "
                f"{WAY_OUT}"
            )


@cache
def _columns(table: type[DeclarativeBase]) -> tuple[tuple[str, type, bool], ...]:
    """Return the columns' names, the types of their values, and whether none will do."""
    columns = inspect(table).columns
    return tuple((one.key, one.type.python_type, bool(one.nullable)) for one in columns)


def _fits(value: Any, kind: type, *, is_optional: bool) -> bool:  # noqa: ANN401 - anything stored
    if value is None:
        return is_optional
    if kind is float:
        return isinstance(value, float | int) and isfinite(value)
    return isinstance(value, kind)
