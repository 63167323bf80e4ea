"""Waits for what a study in another process has stored, and reads it as no writer would notice."""

import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

PATIENCE = 120.0  # seconds until what never comes fails the test
EPOCHS = "select count(*) from attention_epochs"
TRAININGS = "select count(*) from attention_evaluations"
RUNNING = "select count(*) from attention_evaluations where state = 'running'"


def until_stored(database: Path, query: str, number: int) -> None:
    """Wait until the query counts so many rows."""
    deadline = time.monotonic() + PATIENCE
    while counted(database, query) < number:
        assert time.monotonic() < deadline, f"{query}: {counted(database, query)} of {number}"
        time.sleep(0.002)


def counted(database: Path, query: str) -> int:
    """Return what the query counts; 0 where there is no such table yet."""
    with suppress(sqlite3.OperationalError):
        uri = f"file:{database}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=1.0)) as connection:
            return int(connection.execute(query).fetchone()[0])
    return 0
