"""A folder is written whole or not at all, and nobody's files are lost to it."""

import json
import os
from pathlib import Path

import pytest

from space import Refusal
from studies.folders import MANIFEST, file_digests, new_folder, refuse_other_content


def write(out: Path, text: str = "one") -> None:
    with new_folder(out) as folder:
        (folder / "a.txt").write_text(text)
        (folder / MANIFEST).write_text(json.dumps({"files": file_digests(folder)}))


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_a_folder_appears_with_all_its_files(tmp_path: Path) -> None:
    write(tmp_path / "new" / "out")
    assert names(tmp_path / "new") == ["out"]
    assert names(tmp_path / "new" / "out") == ["a.txt", MANIFEST]


def test_a_failure_leaves_nothing_or_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def fail() -> None:
        with new_folder(out) as folder:
            (folder / "a.txt").write_text("half")
            raise RuntimeError("disk")

    with pytest.raises(RuntimeError, match="disk"):
        fail()
    assert names(tmp_path) == []
    write(out)
    with pytest.raises(RuntimeError, match="disk"):
        fail()
    assert names(tmp_path) == ["out"]
    assert (out / "a.txt").read_text() == "one"


def test_an_earlier_export_and_an_empty_folder_are_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    write(out)
    write(out, "two")
    assert names(tmp_path) == ["out"]
    assert (out / "a.txt").read_text() == "two"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "a.txt").read_text() == "one"


@pytest.mark.parametrize(
    ("name", "text"),
    [("notes.txt", "mine"), ("a.txt", "trained on"), (MANIFEST, '{"files": ["a.txt"]}')],
)
def test_what_somebody_else_wrote_is_kept(name: str, text: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out)
    (out / name).write_text(text)
    with pytest.raises(
        Refusal, match=r"--out must be new, empty or an earlier export .* name another"
    ):
        write(out, "two")
    assert (out / name).read_text() == text


@pytest.mark.parametrize(
    "text", ["", "[]", '{"architectures": []}', '{"files": {}}', "[" * 90_000, '{"files": [[]]}']
)
def test_a_folder_with_another_manifest_is_kept(text: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(Refusal, match=f"with {MANIFEST}"):
        refuse_other_content(tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(Refusal, match=r"--out must be a folder, .* got the file .*out"):
        write(tmp_path / "out")


def test_links_and_pipes_in_the_target_are_not_ours_and_not_followed(tmp_path: Path) -> None:
    victim, out = tmp_path / "victim.txt", tmp_path / "out"
    victim.write_text("mine")
    out.mkdir()
    (out / "a.txt").symlink_to(victim)
    with pytest.raises(Refusal, match=r"with a\.txt; name another"):
        write(out)
    (out / "a.txt").unlink()
    os.mkfifo(out / MANIFEST)
    with pytest.raises(Refusal, match=f"with {MANIFEST}"):
        write(out)
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("name", ["../victim.txt", "/etc/passwd", "a/b", ".."])
def test_names_in_a_foreign_manifest_reach_no_file(name: str, tmp_path: Path) -> None:
    victim, out = tmp_path / "victim.txt", tmp_path / "out"
    victim.write_text("mine")
    out.mkdir()
    (out / MANIFEST).write_text(json.dumps({"files": {name: "0" * 64}}))
    write(out)
    assert names(out) == ["a.txt", MANIFEST]
    assert victim.read_text() == "mine"
