"""A PostgreSQL server: the driver it needs, and patience while it restarts.

Waiting happens only where a connection is made: nothing was sent by then, so nothing is done
twice. A connection that breaks within a transaction is an error, which ends the run; the same
command goes on from what is stored.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.exc import DBAPIError

from space import Refusal

RESTART_SECONDS = 120.0  # how long a server may be away
PAUSE = 0.5
INSTALL = "pip install 'attention-search[postgresql]'"
CONNECT_ARGS = {
    "connect_timeout": 10,
    "keepalives_idle": 60,  # a firewall forgets silent connections, and the lock's is silent
    "application_name": "attention-search",
}
# A pooled connection is tried before it is used: a restart has ended those that were idle.
ENGINE_OPTIONS: dict[str, Any] = {"pool_pre_ping": True, "connect_args": CONNECT_ARGS}
_log = logging.getLogger(__name__)


def refuse_without_driver() -> None:
    """Refuse a server's URL where its driver is not installed."""
    try:
        import psycopg  # noqa: F401 - an extra: not everybody has a server
    except ImportError as error:
        raise Refusal(f"postgresql:// needs an extra that is not installed; {INSTALL}") from error


def wait_for_restarts(engine: Engine, before: Callable[[], None]) -> None:
    """Let the engine's connections wait for a server that has answered before.

    `before` is called before each is made.
    """
    event.listen(engine, "do_connect", _Connector(before))


class _Connector:
    """Makes connections as SQLAlchemy's `do_connect` wants it, with patience once one was made."""

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before
        self._has_answered = False

    def __call__(
        self, dialect: Dialect, _record: object, args: list[Any], options: dict[str, Any]
    ) -> object:
        deadline = time.monotonic() + (RESTART_SECONDS if self._has_answered else 0.0)
        self._has_answered = False  # patience is spent, unless this one is made
        told = False
        while True:
            try:
                self._before()
                connection = dialect.connect(*args, **options)
            except (DBAPIError, dialect.loaded_dbapi.OperationalError):
                if time.monotonic() >= deadline:
                    raise
            else:
                self._has_answered = True
                return connection
            if not told:
                _log.warning("the database does not answer; waiting up to %.0f s", RESTART_SECONDS)
                told = True
            time.sleep(PAUSE)
