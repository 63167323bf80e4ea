"""A link is followed, and one that leads back to itself is refused before anything is made."""

from pathlib import Path

import pytest

from space import Refusal
from studies.folders import new_folder
from studies.store.backup import back_up
from studies.store.database import open_engine
from studies.store.links import real_path
from studies.store.locks import lock_path, one_maker, only_driver
from studies.store.urls import database_of


@pytest.fixture
def loop(tmp_path: Path) -> Path:
    """Return a link to itself."""
    path = tmp_path / "loop"
    path.symlink_to("loop")
    return path


def test_a_path_need_not_exist_to_have_its_links_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("folder")
    assert real_path(tmp_path / "link" / "x.db", "--to") == tmp_path / "folder" / "x.db"


def test_a_name_too_long_for_any_file_is_left_to_whoever_opens_it(tmp_path: Path) -> None:
    assert real_path(tmp_path / ("a" * 5000), "--to") == tmp_path / ("a" * 5000)


@pytest.mark.parametrize("inside", ["", "x.db", "a/b"])
def test_a_link_back_to_itself_is_refused(inside: str, loop: Path) -> None:
    with pytest.raises(Refusal, match="--to must not lead through a link back to itself, got /"):
        real_path(loop / inside, "--to")


def test_two_links_to_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(Refusal, match="link back to itself"):
        real_path(tmp_path / "a", "--to")


def test_a_study_behind_such_a_link_is_refused_and_nothing_is_made(loop: Path) -> None:
    url = f"sqlite:///{loop}"
    with pytest.raises(Refusal, match="--storage must not lead through a link"):
        database_of(url)
    with pytest.raises(Refusal, match="--storage must not"), only_driver(url, "attention"):
        pytest.fail("it was locked")
    with pytest.raises(Refusal, match="--storage must not"), one_maker(url):
        pytest.fail("it was locked")
    assert list(loop.parent.iterdir()) == [loop]


def test_what_is_written_to_such_a_link_is_refused_and_nothing_is_made(loop: Path) -> None:
    with pytest.raises(Refusal, match="--out must not"), new_folder(loop):
        pytest.fail("a folder was made")
    with pytest.raises(Refusal, match="--to must not"):
        back_up(loop.parent / "study.db", loop)
    assert list(loop.parent.iterdir()) == [loop]


def test_a_file_and_its_links_have_the_same_locks(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.db").symlink_to("folder/study.db")
    link, own = (f"sqlite:///{tmp_path}/{name}" for name in ("link.db", "folder/study.db"))
    open_engine(own).dispose()
    assert lock_path(link, "attention") == lock_path(own, "attention")
    with one_maker(link):
        pass
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "link.db"]
