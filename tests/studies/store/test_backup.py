import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from space import Refusal
from studies import database_path, only_driver
from studies.store.backup import back_up, default_name
from studies.store.database import open_engine
from tests.studies.store.dumps import restored


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return database_path(restored("first_release", tmp_path))


def names(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT study_name FROM studies")]


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Hold a transaction that has written and not committed, as a driver does at some moments."""
    with closing(sqlite3.connect(path, isolation_level=None)) as driver:
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("UPDATE studies SET study_name = 'half-written'")
        yield
        driver.execute("ROLLBACK")


def test_a_copy_is_made_while_a_driver_writes_and_holds_what_was_committed(path: Path) -> None:
    target = path.with_name("copy.db")
    with writing(path):
        made = back_up(path, target)
    assert made.num_trainings == {"attention": 8}
    assert made.bytes == target.stat().st_size
    assert names(target) == ["attention"]


def test_a_copy_stands_alone_and_nothing_else_is_left(path: Path) -> None:
    before = set(path.parent.iterdir())
    target = path.with_name("copy.db")
    back_up(path, target)
    assert set(path.parent.iterdir()) - before == {target}


def test_nothing_is_overwritten_without_being_told(path: Path) -> None:
    target = path.with_name("copy.db")
    target.write_text("precious")
    with pytest.raises(Refusal, match=r"--to must be a new file, got .*; --overwrite replaces"):
        back_up(path, target)
    assert target.read_text() == "precious"
    back_up(path, target, overwrite=True)
    assert names(target) == ["attention"]


def leave_a_log(path: Path) -> None:
    """Make a database as a killed writer leaves it: what it wrote last is in the log alone."""
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL").close()
        writer.execute("PRAGMA wal_autocheckpoint = 0").close()
        writer.execute("CREATE TABLE studies (study_id INTEGER, study_name TEXT)")
        writer.execute("CREATE TABLE trials (trial_id INTEGER, study_id INTEGER, state TEXT)")
        writer.execute("INSERT INTO studies VALUES (1, 'old')")
        writer.commit()
        left = {one: one.read_bytes() for one in (path, path.with_name(f"{path.name}-wal"))}
    for one, content in left.items():
        one.write_bytes(content)


def test_the_log_of_a_file_that_is_replaced_does_not_change_the_copy(path: Path) -> None:
    target = path.with_name("copy.db")
    leave_a_log(target)
    back_up(path, target, overwrite=True)
    assert names(target) == ["attention"]
    assert {one.name for one in path.parent.iterdir()} == {"study.db", "copy.db"}


def test_a_log_without_its_file_is_refused_or_removed(path: Path) -> None:
    target = path.with_name("copy.db")
    leave_a_log(target)
    target.unlink()
    with pytest.raises(Refusal, match=r"copy\.db beside .*copy\.db-wal, .*--overwrite removes it"):
        back_up(path, target)
    back_up(path, target, overwrite=True)
    assert names(target) == ["attention"]


def test_what_is_replaced_stays_whole_if_that_fails(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = path.with_name("copy.db")
    leave_a_log(target)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(Refusal, match="No space left"):
        back_up(path, target, overwrite=True)
    assert names(target) == ["old"]


def test_a_database_that_is_run_or_open_is_not_replaced(path: Path) -> None:
    target = path.with_name("copy.db")
    leave_a_log(target)
    with (
        only_driver(f"sqlite:///{target}", "any"),
        pytest.raises(Refusal, match=r"studies nobody runs, got .*copy\.db\.any\.lock is held"),
    ):
        back_up(path, target, overwrite=True)
    with closing(sqlite3.connect(target)) as reader:
        assert reader.execute("SELECT study_name FROM studies").fetchone() == ("old",)
        with pytest.raises(Refusal, match=r"that nothing uses, got .*; end what has it open"):
            back_up(path, target, overwrite=True)
    assert names(target) == ["old"]


def test_the_database_is_no_place_for_its_copy(path: Path) -> None:
    content = path.read_bytes()
    with pytest.raises(Refusal, match="another file than the database"):
        back_up(path, path, overwrite=True)
    assert path.read_bytes() == content


def test_a_folder_is_never_replaced(path: Path) -> None:
    (path.parent / "folder").mkdir()
    with pytest.raises(Refusal, match="--to must be a new file"):
        back_up(path, path.parent / "folder", overwrite=True)


def test_a_damaged_database_is_not_copied(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'attention_evaluations'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("rb+") as file:
        file.seek((page - 1) * size)
        file.write(b"\x55" * size)
    before = set(path.parent.iterdir())
    with pytest.raises(Refusal, match=r"study\.db is damaged and was not copied: \*\*\* in data"):
        back_up(path, path.with_name("copy.db"))
    assert set(path.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (sqlite3.OperationalError("database or disk is full"), "no space left for the database"),
        (sqlite3.OperationalError("unable to open database file"), "cannot be opened"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
    ],
)
def test_a_full_disk_or_a_read_only_folder_is_one_line_and_leaves_nothing(
    error: Exception, words: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise error

    monkeypatch.setattr("os.fsync", fail)
    before = set(path.parent.iterdir())
    with pytest.raises(Refusal, match=rf"^no copy of .*study\.db in .*: .*{words}[^\n]*$"):
        back_up(path, path.with_name("copy.db"))
    assert set(path.parent.iterdir()) == before


def test_a_database_in_a_folder_that_takes_no_files_is_copied_to_another(
    path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    target = tmp_path_factory.mktemp("another") / "copy.db"
    assert back_up(path, target).num_trainings == {"attention": 8}
    assert list(path.parent.iterdir()) == [path]


def test_a_database_of_any_program_is_copied(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    with open_engine(url).connect() as connection:
        connection.exec_driver_sql("CREATE TABLE other (x)")
    made = back_up(database_path(url), tmp_path / "copy.db")
    assert made.num_trainings == {}


def test_the_name_of_a_copy_says_when_it_was_made() -> None:
    now = datetime(2026, 1, 31, 9, 5, 7)
    assert default_name(Path("folder/study.db"), now) == "study.2026-01-31-090507.db"
