"""Weights come from .safetensors files only, whose head is looked at before it is parsed."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from search.training.tensor_file import MAX_HEAD, refuse_unsafe
from search.training.transfer import transferred
from search.training.weights import load_weights
from search.training.worker import seeded_model
from space import Refusal, plain

PLAIN = plain("resnet8")


def headed(length: int, content: bytes) -> bytes:
    return length.to_bytes(8, "little") + content


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pt", b"PK\x03\x04", "must end in .safetensors; pickled"),
        ("a.safetensors", b"", "within the file, got 0"),
        ("a.safetensors", b"1234567", "within the file"),
        ("a.safetensors", headed(2**63, b"{}"), "got 9223372036854775808"),
        ("a.safetensors", headed(3, b"{}"), "got 3"),
        ("a.safetensors", headed(MAX_HEAD + 1, b" " * (MAX_HEAD + 1)), f"got {MAX_HEAD + 1}"),
        ("none.safetensors", None, "No such file"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_its_first_bytes(
    name: str, content: bytes | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refusal, match=f"^--init-from must fit: .*{reason}"):
        refuse_unsafe(path, "--init-from must fit")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.safetensors")
    with pytest.raises(Refusal, match="must be a plain file"):
        refuse_unsafe(tmp_path / "a.safetensors", "--init-from must fit")


@pytest.mark.parametrize(
    "head",
    [
        b"{",
        b"[" * 50_000,
        b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 99]}}',
        b'{"a": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 0]}}',
        b'{"a": {"dtype": "F99", "shape": [], "data_offsets": [0, 4]}}',
        b'{"__metadata__": {"architecture": "{}"}}',
        b'{"__metadata__": {"architecture": "' + b"[" * 20_000 + b'"}}',
        b"\xff\xfe",
    ],
)
def test_a_head_that_lies_is_one_line(head: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(headed(len(head), head))
    for read in (
        lambda: transferred(seeded_model(PLAIN, 0), path),
        lambda: load_weights(PLAIN, path),
    ):
        with pytest.raises(Refusal, match=r"a\.safetensors") as refused:
            read()
        assert len(str(refused.value).splitlines()) == 1


def test_weights_of_the_right_name_and_the_wrong_shape_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    state = seeded_model(PLAIN, 0).state_dict()
    name = next(iter(state))
    changed = {**state, name: torch.zeros(2, 3)}
    save_file(changed, path, {"architecture": PLAIN.to_json()})
    with pytest.raises(Refusal, match=rf"must hold {name} of shape .*, got \(2, 3\); train"):
        load_weights(PLAIN, path)
    save_file({name: torch.zeros(2, 3)}, path)
    with pytest.raises(Refusal, match=rf"got none of \d+ in .* \({name} 2 x 3, here "):
        transferred(seeded_model(PLAIN, 0), path)
