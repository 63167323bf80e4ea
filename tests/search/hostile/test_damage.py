"""Study databases that something else wrote to: read in part or refused, never a traceback."""

import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.search.hostile.judged import judge
from tests.search.hostile.yard import GOOD

OURS = ("attention_studies", "attention_evaluations", "attention_epochs")
BESIDE = (
    *("attention_attempts", "attention_sessions", "attention_front_summaries", "pareto_front"),
    *("attention_extra_trainings", "attention_extra_failures", "attention_confirmations"),
    *("attention_test_ledger", "attention_test_readings"),
)
OPTUNAS = ("studies", "study_directions", "study_user_attributes", "version_info")
VALUES: list[object] = [
    "",
    "x",
    "-1",
    "null",
    "{",
    "{}",
    "[]",
    '{"a": 1}',
    "NaN",
    "../../x",
    "a\nb",
    "\x00",
]
VALUES += [0, -1, 1, 2**62, 1e308, float("inf"), None, b"", b"\xff\xfe", b"\x00" * 200]
VALUES += ["complete", "running", "proposed", "reference", "2024-13-45 00:00:00"]
COMMANDS = [
    ["status"],
    ["front", "--format", "json"],
    ["front"],
    ["export", "--out", "out.yaml"],
    ["export", "--pick", "front", "--out", "out"],
    ["fidelity"],
    ["run", "--trials", "9", "--device", "cpu"],
    ["dashboard"],
    ["confirm", "--device", "cpu"],
    ["explain", "--format", "json"],
    ["report", "--out", "page.html"],
    ["plot"],
    ["baselines", "--device", "cpu"],
    ["backup", "--to", "copy.db"],
    ["doctor"],
    ["gates", "out.yaml"],
]
CHANGES = st.tuples(
    st.sampled_from([*OURS, *OURS, *BESIDE, *OPTUNAS]),
    st.integers(0, 30),  # which column
    st.integers(0, 9),  # which row
    st.sampled_from(VALUES),
)


def change(path: Path, table: str, column: int, row: int, value: object) -> None:
    """Write a value where it does not belong, as far as SQLite lets that be."""
    with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.IntegrityError):
        names = [one[1] for one in connection.execute(f"pragma table_info({table})")]
        rows = [one[0] for one in connection.execute(f"select rowid from {table}")]
        name, number = names[column % len(names)], rows[row % len(rows)]
        connection.execute(f"update {table} set {name} = ? where rowid = ?", (value, number))
        connection.commit()


@pytest.mark.slow
@given(
    changes=st.lists(CHANGES, min_size=1, max_size=3),
    command=st.sampled_from(COMMANDS),
)
def test_a_damaged_study_is_read_or_refused_in_one_line(
    changes: list[tuple[str, int, int, object]], command: list[str], template: Path
) -> None:
    path = template / "damaged.db"  # the working folder is put back from there
    shutil.copy(template / GOOD, path)
    for table, column, row, value in changes:
        change(path, table, column, row, value)
    shutil.copy(path, path.name)
    try:
        judge([*command, "--storage", "sqlite:///damaged.db"], template, own="damaged.db")
    finally:
        path.unlink()
        Path(path.name).unlink()
