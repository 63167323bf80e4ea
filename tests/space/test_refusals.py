"""Every refusal names the rule and the value that broke it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from space import (
    MECHANISMS,
    Architecture,
    Refusal,
    Shape,
    backbone,
    plain,
    read_architecture,
    write_architecture,
)

SE = {"attention": {"kind": "se"}, "position": "residual"}
KINDS = ", ".join(MECHANISMS)


def document(placement: Mapping[str, object], **other: object) -> dict[str, Any]:
    return {"backbone": "resnet18", "stages": [[], [], [placement], []], **other}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            document({**SE, "attention": {"kind": "senet"}}),
            f"stages[2][0].attention: kind must be one of {KINDS}, got senet",
        ),
        (
            document({**SE, "attention": {"kind": "se", "ratio": 4}}),
            "stages[2][0].attention.se: unknown key ratio; leave it out",
        ),
        (document(SE, name="mine"), "document: unknown key name; leave it out"),
        (
            document({**SE, "attention": {"kind": "se", "reduction": 3}}),
            "stages[2][0].attention.se.reduction: must be one of 2, 4, 8, 16, 32, got 3",
        ),
        (
            document({**SE, "position": "middle"}),
            "stages[2][0].position: Input should be 'residual', 'after_conv1', 'pre', 'identity', "
            "'post' or 'stage_end', got middle",
        ),
        (
            document({**SE, "position": "stage_end", "blocks": "all"}),
            "stages[2][0]: blocks must be last (or left out) at stage_end, got all",
        ),
        (
            document({**SE, "gain": "half"}),
            "stages[2][0].gain: Input should be 'plain' or 'zero', got half",
        ),
        (
            document({**SE, "blocks": "some"}),
            "stages[2][0].blocks: Input should be 'all', 'first', 'last' or 'alternate', got some",
        ),
        (
            document(SE, stages=[[], []]),
            "document: stages must have 4 entries for resnet18, got 2",
        ),
        (document(SE, version=2), "version: Input should be 1, got 2"),
        (
            document(SE, num_classes=1),
            "num_classes: Input should be greater than or equal to 2, got 1",
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_path_and_value(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refusal) as refused:
        Architecture.from_json(json.dumps(given))
    assert str(refused.value) == message


def test_what_does_not_fit_its_stage_is_named_with_the_stage() -> None:
    grouped = {"kind": "gam", "variant": "grouped", "min_width": 1, "reduction": 16}
    text = json.dumps(
        {
            "backbone": "resnet8",
            "stages": [[{"attention": grouped, "position": "residual"}], [], []],
        }
    )
    with pytest.raises(Refusal) as refused:
        Architecture.from_json(text)
    assert str(refused.value) == (
        "document: gam in stage 1 (16@32x32): groups must divide the channels 16 and the hidden "
        "width 1, got 4"
    )


def test_sub_sampling_needs_a_map_of_two_by_two() -> None:
    mechanism = MECHANISMS["non_local"].model_validate({"sub_sample": True})
    assert mechanism.reason_invalid(Shape(16, 2, 2)) is None
    assert mechanism.reason_invalid(Shape(16, 1, 1)) == (
        "sub_sample needs a map of at least 2x2, got 1x1"
    )


def test_an_unknown_backbone_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refusal, match=r"^backbone must be one of resnet8, .*, got vgg$"):
        backbone("vgg")
    with pytest.raises(Refusal, match=r"^backbone: backbone must be one of .*, got vgg$"):
        Architecture.from_json('{"backbone": "vgg", "stages": []}')


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "", "a file name must end in .yaml, .yml, .json, got a.txt"),
        ("a.yaml", "a: [", "PATH is no yaml file: line 1: expected the node content"),
        ("a.json", "{'", "PATH is no json file: Expecting property name"),
        ("a.yaml", "- 1", "PATH: an architecture file holds keys and values, got [1]"),
        ("a.yaml", "", "PATH: an architecture file holds keys and values, got None"),
        ("a.yaml", "backbone: resnet8", "PATH: stages: Field required"),
        ("b.yaml", None, "cannot read PATH: No such file or directory; name a .yaml"),
    ],
)
def test_a_file_that_holds_no_architecture_is_named(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(Refusal) as refused:
        read_architecture(path)
    assert str(refused.value).startswith(message.replace("PATH", str(path)))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\x89PNG")
    with pytest.raises(Refusal, match=r"a\.yaml is no yaml file: "):
        read_architecture(tmp_path / "a.yaml")


def test_writing_refuses_an_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"must end in \.yaml, \.yml, \.json, got a\.toml"):
        write_architecture(plain("resnet8"), tmp_path / "a.toml")
