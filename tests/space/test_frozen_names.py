"""What is stored in files and databases: add to it, never rename."""

import json
from typing import Any, get_args

import pytest

from space import BACKBONES, MECHANISMS, SearchSpace, baselines, plain
from space.architecture import Blocks, Position

PROPOSED: dict[str, dict[str, tuple[Any, ...]]] = {
    "se": {"reduction": (4, 8, 16)},
    "cbam": {"reduction": (4, 8, 16), "kernel": (3, 7)},
    "non_local": {
        "pairwise": ("embedded_gaussian", "dot_product"),
        "reduction": (2, 4, 8),
        "sub_sample": (False, True),
    },
    "dual": {
        "branches": ("position", "channel", "both"),
        "reduction": (4, 8),
        "channel_scores": ("flipped", "scaled", "cosine"),
    },
    "criss_cross": {"reduction": (4, 8), "recurrences": (1, 2)},
    "gam": {
        "variant": ("full", "grouped", "factorised", "depthwise"),
        "reduction": (4, 8, 16),
        "kernel": (3, 5, 7),
        "groups": (2, 4),
    },
}
# Values that files may hold beside the proposed ones.
ALLOWED: dict[str, dict[str, tuple[Any, ...]]] = {
    "se": {"reduction": (2, 4, 8, 16, 32), "min_width": (1, 4, 8), "bias": (True, False)},
    "cbam": {
        "reduction": (2, 4, 8, 16, 32),
        "min_width": (1, 4, 8),
        "bias": (True, False),
        "kernel": (3, 5, 7),
    },
    "non_local": {},
    "dual": {"reduction": (2, 4, 8)},
    "criss_cross": {"reduction": (2, 4, 8)},
    "gam": {"min_width": (1, 4, 8)},
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "se": {"reduction": 16, "min_width": 4, "bias": True},
    "cbam": {"reduction": 16, "min_width": 4, "bias": True, "kernel": 7},
    "non_local": {"pairwise": "embedded_gaussian", "reduction": 2, "sub_sample": False},
    "dual": {"branches": "both", "reduction": 8, "channel_scores": "flipped"},
    "criss_cross": {"reduction": 8, "recurrences": 2},
    "gam": {"variant": "full", "reduction": 4, "min_width": 4, "kernel": 7, "groups": 4},
}


def test_kinds_keep_their_names_and_order() -> None:
    assert tuple(MECHANISMS) == tuple(PROPOSED)


def test_backbones_keep_their_names() -> None:
    cifar = ["resnet8", "resnet14", "resnet20", "resnet32", "resnet44", "resnet56", "resnet110"]
    assert list(BACKBONES) == [*cifar, "resnet10", "resnet18", "resnet34"]


def test_positions_and_blocks_keep_their_names() -> None:
    assert get_args(Position) == ("residual", "stage_end")
    assert get_args(Blocks) == ("all", "last")


def test_a_plain_architecture_is_stored_under_these_keys() -> None:
    assert json.loads(plain("resnet20").to_json()) == {
        "version": 1,
        "backbone": "resnet20",
        "num_classes": 10,
        "stages": [[], [], []],
    }


@pytest.mark.parametrize("kind", MECHANISMS)
def test_a_placement_is_stored_under_these_keys_with_these_defaults(kind: str) -> None:
    architecture = baselines(SearchSpace(backbone="resnet20"))[kind]
    placement = json.loads(architecture.to_json())["stages"][-1][0]
    assert set(placement) == {"attention", "position", "blocks"}
    assert placement["attention"] == {"kind": kind, **DEFAULTS[kind]}


@pytest.mark.parametrize("kind", MECHANISMS)
def test_every_value_ever_allowed_still_is(kind: str) -> None:
    fields = {**PROPOSED[kind], **ALLOWED[kind]}
    for field, values in fields.items():
        for value in values:
            found = MECHANISMS[kind].model_validate({field: value})
            assert getattr(found, field) == value


def test_parameters_keep_their_names_and_their_choices_in_order() -> None:
    """Optuna compares the choices and their order with those of the stored study."""
    expected: dict[str, tuple[Any, ...]] = {
        "attention": ("none", *PROPOSED),
        "position": ("residual", "stage_end"),
        "blocks": ("all", "last"),
    }
    for kind, searched in PROPOSED.items():
        expected |= {f"{kind}.{name}": values for name, values in searched.items()}
    found = SearchSpace(backbone="resnet20").parameters()
    in_stage3 = {name: values for name, values in found.items() if name.startswith("stage3.")}
    assert list(in_stage3.items()) == [(f"stage3.{name}", v) for name, v in expected.items()]
