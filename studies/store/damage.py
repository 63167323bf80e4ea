"""Rows that something else wrote to: what cannot be read is refused in one line.

SQLite keeps a value of any type in any column, and a disk or another program may change a file.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, get_args

from sqlalchemy import Row, inspect
from sqlalchemy.orm import DeclarativeBase

from space import Refusal

from .records import Evaluation, Purpose, State
from .tables import EvaluationRow

WAY_OUT = "restore a copy of the database, or name another with --storage"
# What reading a value that is not what was written ends in, in SQLAlchemy's, Optuna's or our code.
SIGNS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)

# What reading a study relies on; the rest is checked where a training is configured by it.
KINDS = {
    "backbone": str,
    "dataset": str,
    "cost": str,
    "sampler": str,
    "train_images": int,
    "epochs": int,
    "protocol_digest": str,
}


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
    if kind is float:  # a validation loss may be infinite
        return isinstance(value, float | int)
    return isinstance(value, kind)


def whole(settings: Mapping[str, object]) -> Mapping[str, object]:
    """Return the settings if they hold what every study's do, with values of their types."""
    for key, kind in KINDS.items():
        if not isinstance(settings.get(key), kind):
            raise Refusal(
                f"the study's {key} must be {kind.__name__}, got {settings.get(key)!r:.40}; "
                f"{WAY_OUT}"
            )
    return settings


def refuse_impossible(row: EvaluationRow | Row[Any]) -> None:
    """Refuse what no training of ours ends in."""
    is_known = row.state in get_args(State) and row.purpose in get_args(Purpose)
    is_whole = row.accuracy is not None and 0 <= row.accuracy <= 1 and row.correct is not None
    if (
        not is_known
        or row.macs < 1
        or row.params < 1
        or (row.state == "complete" and not is_whole)
    ):
        raise Refusal(
            f"training {row.id} must be one of ours, got {row.purpose} that is {row.state} with "
            f"accuracy {row.accuracy}, {row.macs} MACs and {row.params} params; {WAY_OUT}"
        )


def refuse_unlike(found: Sequence[Evaluation]) -> None:
    """Refuse images judged by one training and not by another: they are compared one by one."""
    sizes = {len(one.correct): one.id for one in found if one.correct is not None}
    if len(sizes) > 1:
        raise Refusal(
            f"all trainings must judge the same images, got {sorted(sizes)} bytes of them, as in "
            f"trainings {', '.join(map(str, sorted(sizes.values())))}; {WAY_OUT}"
        )
