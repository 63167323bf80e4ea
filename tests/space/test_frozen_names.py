"""What is stored in files and databases: add to it, never rename."""

import json
from typing import Any, get_args

import pytest

from space import BACKBONES, MECHANISMS, SearchSpace, baselines, plain
from space.place import Blocks, Position
from space.placement import Gain
from tests.space.allowed import PROPOSED, allowed_values

POSITIONS = ("residual", "after_conv1", "pre", "identity", "post", "stage_end")
DEFAULTS: dict[str, dict[str, Any]] = {
    "se": {"reduction": 16, "min_width": 4, "bias": True},
    "cbam": {"reduction": 16, "min_width": 4, "bias": True, "kernel": 7},
    "non_local": {"pairwise": "embedded_gaussian", "reduction": 2, "sub_sample": False},
    "dual": {"branches": "both", "reduction": 8, "channel_scores": "flipped"},
    "criss_cross": {"reduction": 8, "recurrences": 2},
    "gam": {"variant": "full", "reduction": 4, "min_width": 4, "kernel": 7, "groups": 4},
    "eca": {"kernel": "adaptive"},
    "gct": {"norm": "l2"},
    "bam": {"reduction": 16, "min_width": 4, "dilation": 4},
    "coord": {"reduction": 32, "min_width": 8},
    "triplet": {"kernel": 7},
    "simam": {"regulariser": 1e-4},
    "gc": {"reduction": 16, "min_width": 4},
    "double": {"reduction": 4},
    "mhsa": {"heads": 4},
    "lka": {"dilation": 3},
}


def test_kinds_keep_their_names_and_order() -> None:
    assert tuple(MECHANISMS) == tuple(PROPOSED)


def test_backbones_keep_their_names() -> None:
    cifar = ["resnet8", "resnet14", "resnet20", "resnet32", "resnet44", "resnet56", "resnet110"]
    basic = ["resnet10", "resnet18", "resnet34"]
    bottleneck = ["resnet26", "resnet50", "resnet101", "resnet152"]
    wide = ["resnet8w64", "resnet14w64", "resnet20w64", "resnet26w64"]
    assert list(BACKBONES) == [*cifar, *basic, *bottleneck, *wide]


def test_positions_and_blocks_keep_their_names() -> None:
    assert get_args(Position) == POSITIONS
    assert get_args(Blocks) == ("all", "first", "last", "alternate")
    assert get_args(Gain) == ("plain", "zero")


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
    # 8x8 is too small for the large kernel's default, 32x32 too large for maps over positions.
    placement = json.loads(architecture.to_json())["stages"][1][0]
    assert set(placement) == {"attention", "position", "blocks", "gain"}
    assert placement["gain"] == "plain"
    assert placement["attention"] == {"kind": kind, **DEFAULTS[kind]}


@pytest.mark.parametrize("kind", MECHANISMS)
def test_every_value_ever_allowed_still_is(kind: str) -> None:
    for field, values in allowed_values(kind).items():
        for value in values:
            found = MECHANISMS[kind].model_validate({field: value})
            assert getattr(found, field) == value


def test_parameters_keep_their_names_and_their_choices_in_order() -> None:
    """Optuna compares the choices and their order with those of the stored study."""
    expected: dict[str, tuple[Any, ...]] = {
        "attention": ("none", *PROPOSED),
        "position": POSITIONS,
        "blocks": ("all", "first", "last", "alternate"),
    }
    for kind, searched in PROPOSED.items():
        expected |= {f"{kind}.{name}": values for name, values in searched.items()}
    # At 64@8x8 the adaptive kernel is 3, every strip is 8 wide, and 7x7 dilated by 3 too large.
    expected["eca.kernel"] = ("adaptive", 5, 7)
    del expected["coord.reduction"], expected["lka.dilation"]
    found = SearchSpace(backbone="resnet20").parameters()
    in_stage3 = {name: values for name, values in found.items() if name.startswith("stage3.")}
    assert list(in_stage3.items()) == [(f"stage3.{name}", v) for name, v in expected.items()]
