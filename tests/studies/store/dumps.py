"""Databases that older versions made, kept as SQL: each was written by `search run` itself.

All on the sample, `--backbone resnet8 --train-images 200 --epochs 2 --batch-size 50`:
`six_kinds` (4 trainings, before the searched space had a digest), `attempts` (4, with attempts and
gates), `early_stop` (4, with early stopping, before confirmations and sessions) and
`first_release` (8, version 0.1.0).

`optuna_2_10` is none of ours: Optuna 2.10.1 itself made it, with SQLAlchemy 1.4, as a study of
three trials in two objectives.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

FOLDER = Path(__file__).parent / "fixtures"
NAMES = ("six_kinds", "attempts", "early_stop", "first_release")
OPTUNAS = "optuna_2_10"
STUDY = "attention"  # of each


def restored(name: str, folder: Path) -> str:
    """Make the database anew in a folder and return its URL."""
    path = folder / "study.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FOLDER / f"{name}.sql").read_text())
        connection.execute("PRAGMA journal_mode=WAL").close()  # as every program of ours leaves it
    return f"sqlite:///{path}"
