"""Files that people write, and those that somebody wrote to do harm: refused before they cost."""

import os
from pathlib import Path

import pytest
import yaml

from space import Refusal, documents
from space.documents import MAX_BYTES, dumped, parsed, read_document

LAUGHS = "\n".join(
    ["- &a0 [0]", *(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 31))]
)
MERGES = "a0: &a0 {k: v}\n" + "\n".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 31)
)


def written(folder: Path, content: str | bytes, name: str = "a.yaml") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 5e-4", {"a": 0.0005}),
        ("a: 1.5e3", {"a": 1500.0}),
        ("a: 0x1F", {"a": 31}),
        ("a: 9223372036854775807", {"a": 2**63 - 1}),
        ("a: 2024-01-31", {"a": "2024-01-31"}),  # JSON has no dates either
        ("a: [yes, ~]", {"a": [True, None]}),
        ("", None),
    ],
)
def test_plain_values_are_read(text: str, value: object) -> None:
    assert parsed(text.encode(), ".yaml") == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (LAUGHS, r"alias \*a0 is not read"),
        (MERGES, r"alias \*a0 is not read"),
        ("&a [*a]", r"alias \*a is not read"),
        ("!!python/object/apply:os.system [true]", "tag .*os.system is not read"),
        ("!!bool maybe", "tag .*bool is not read"),
        ("!!timestamp x", "tag .*timestamp is not read"),
        ("!!int ''", "tag .*int is not read"),
        ("[" * 40_000, "nested at most 50 deep"),
        ("[" * 60 + "]" * 60, "nested at most 50 deep"),
        ("- " * 40_000, "nested at most 50 deep"),
        ("a: 9223372036854775808", "within 64 bits, got 9223372036854775808"),
        ("a: -9223372036854775809", "within 64 bits"),
        ("a: 0x" + "f" * 50_000, "at most 40 characters, got 0xffff"),
        ("a: " + "1:" * 40_000 + "1", "at most 40 characters, got 1:1:"),
        ("a: " + "1:" * 300 + "1.5", "at most 40 characters"),  # beyond any float
        ("a: 1\na: 2", "key a stands twice"),
        ("[1, 2]: 3", "line 1: found unhashable key"),
        ("--- 1\n--- 2", "found another document"),
    ],
)
def test_harm_in_yaml_is_refused(text: str, rule: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=f"a.yaml is no yaml file: .*{rule}"):
        read_document(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[" * 90_000, "nested at most 50 deep"),
        ("[" * 51 + "]" * 51, "nested at most 50 deep"),
        ('{"a": ' * 51 + "1" + "}" * 51, "nested at most 50 deep"),
        ("9" * 90_000, "at most 40 characters, got 99999999999999999999..."),
        ("18446744073709551616", "within 64 bits"),
        ('{"a": 1, "a": 2}', "key a stands twice"),
        (r'{"dataset": "\ud800"}', r"a text must be Unicode, got '\\ud800'"),
        (r'{"\udfff": 1}', "a text must be Unicode"),
        ("{", "Expecting property name"),
        ("", "Expecting value"),
    ],
)
def test_harm_in_json_is_refused(text: str, rule: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=f"a.json is no json file: .*{rule}"):
        read_document(written(tmp_path, text, "a.json"))


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"\xff\xfe\xfa", b"a: \x00", b"\x80"])
def test_what_is_no_text_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"is no (yaml|json) file"):
        read_document(written(tmp_path, content, name))


def test_a_large_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_document(written(tmp_path, "a: 1\n#" + "." * (MAX_BYTES - 6))) == {"a": 1}
    path = written(tmp_path, "a: 1\n#" + "." * (MAX_BYTES - 5))
    monkeypatch.setattr(Path, "read_bytes", pytest.fail)
    monkeypatch.setattr(documents, "parsed", pytest.fail)
    with pytest.raises(Refusal, match="must have at most 100000 bytes, got 100001"):
        read_document(path)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "device.yaml").symlink_to("/dev/zero")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    for name in ("pipe", "folder", "device"):
        with pytest.raises(Refusal, match=f"{name}.yaml must be a plain file"):
            read_document(tmp_path / f"{name}.yaml")
    for name in ("loop.yaml", "none.yaml", f"{'long' * 100}.yaml"):
        with pytest.raises(Refusal, match=r"cannot read .*; name a \.yaml or \.json file"):
            read_document(tmp_path / name)


def test_what_is_written_is_read_again_though_a_value_stands_in_it_twice() -> None:
    twice = [1, 2]
    document = {"a": twice, "b": [twice, {"c": 1e-5, "d": "2024-01-31"}]}
    assert "*" in yaml.safe_dump(document)
    for suffix in (".yaml", ".json"):
        assert parsed(dumped(document, suffix).encode(), suffix) == document
