"""Types of columns that mean the same in SQLite and in PostgreSQL."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

# A network may have more MACs than PostgreSQL's integer holds; SQLite's holds all.
WHOLE = Integer().with_variant(BigInteger(), "postgresql")


class Words(TypeDecorator[str]):
    """Text from anywhere, such as an error's: PostgreSQL takes no NUL, and no half letters."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what is stored."""
        del dialect
        if value is None:
            return None
        return value.replace("\0", "?").encode(errors="replace").decode()


class Moment(TypeDecorator[datetime]):
    """A time with its zone. SQLite keeps it as text in UTC, without saying so."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what is stored."""
        del dialect  # the same for all
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what was stored, in UTC."""
        del dialect
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
