"""The closed forms against the papers' arithmetic, written out here a second time."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from space import MECHANISMS, Shape

SHAPES = [
    Shape(*numbers)
    for numbers in ((16, 32, 32), (32, 16, 16), (64, 8, 8), (4, 8, 8), (8, 5, 7), (24, 1, 9))
]
Formula = Callable[[int, int, int, dict[str, Any]], tuple[int, int]]


def se(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    m = max(s["min_width"], c // s["reduction"])
    return c * m + m * c + 0 * h * w, c * m + m * c + (m + c if s["bias"] else 0)


def cbam(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    m, k = max(s["min_width"], c // s["reduction"]), s["kernel"]
    mlp = c * m + m * c
    biases = m + c if s["bias"] else 0
    return 2 * mlp + 2 * k * k * h * w, mlp + biases + 2 * k * k + 2


def non_local(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    d, n = max(1, c // s["reduction"]), h * w
    keys = (h // 2) * (w // 2) if s["sub_sample"] else n
    theta_and_out, phi_and_g = 2 * c * d * n, 2 * c * d * keys
    weights_and_biases = 3 * (c * d + d) + (d * c + c)
    return theta_and_out + phi_and_g + n * keys * d + n * keys * d, weights_and_biases + 2 * c


def dual(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    d, n = max(1, c // s["reduction"]), h * w
    macs = params = 0
    if s["branches"] in ("position", "both"):
        macs += 2 * c * d * n + c * c * n + n * n * d + n * n * c
        params += 2 * (c * d + d) + (c * c + c) + 1
    if s["branches"] in ("channel", "both"):
        macs += c * c * n + c * c * n
        params += 1
    return macs, params


def criss_cross(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    d, n = max(1, c // s["reduction"]), h * w
    once = 2 * c * d * n + c * c * n + n * (h + w) * d + n * (h + w) * c
    return s["recurrences"] * once, 2 * (c * d + d) + (c * c + c) + 1


def gam(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    m, k = max(s["min_width"], c // s["reduction"]), s["kernel"]
    between = {
        "full": (2 * k * k * c * m, m + c),
        "grouped": (2 * k * k * c * m // s["groups"], m + c),
        "factorised": (c * m + k * m * m + k * m * m + m * c, m + m + m + c),
        "depthwise": (c * m + k * k * m + m * c, m + m + c),
    }
    weights, biases = between[s["variant"]]
    macs = (c * m + m * c + weights) * h * w
    return macs, c * m + m * c + m + c + weights + biases + 2 * m + 2 * c


FORMULAS: dict[str, Formula] = {
    "se": se,
    "cbam": cbam,
    "non_local": non_local,
    "dual": dual,
    "criss_cross": criss_cross,
    "gam": gam,
}


def settings(kind: str) -> list[dict[str, Any]]:
    mechanism = MECHANISMS[kind]
    values: dict[str, tuple[Any, ...]] = dict(mechanism.searched)
    if "min_width" in mechanism.model_fields:
        values["min_width"] = (1, 4, 8)
    if "bias" in mechanism.model_fields:
        values["bias"] = (True, False)
    return [dict(zip(values, one, strict=True)) for one in product(*values.values())]


def test_every_kind_has_a_formula() -> None:
    assert set(FORMULAS) == set(MECHANISMS)


@pytest.mark.parametrize("kind", MECHANISMS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_macs_and_params_follow_the_formula(kind: str, shape: Shape) -> None:
    for setting in settings(kind):
        mechanism = MECHANISMS[kind].model_validate(setting)
        if mechanism.reason_invalid(shape):
            continue
        expected = FORMULAS[kind](shape.channels, shape.height, shape.width, setting)
        assert (mechanism.macs(shape), mechanism.params(shape)) == expected, setting


# Params / MACs of one module, counted from minimal modules that share no code with these.
# Columns: the three stages of the CIFAR ResNets, the four of ResNet-18 with a 3x3 stem.
WIDTHS = [
    Shape(c, s, s)
    for c, s in ((16, 32), (32, 16), (64, 8), (64, 32), (128, 16), (256, 8), (512, 4))
]
# fmt: off
TABLE: list[tuple[str, dict[str, Any], str]] = [
    ("se", {"reduction": 16, "min_width": 1},
     "49/32 162/128 580/512 580/512 2.2k/2.0k 8.5k/8.2k 33.3k/32.8k"),
    ("se", {"reduction": 4, "min_width": 1},
     "148/128 552/512 2.1k/2.0k 2.1k/2.0k 8.4k/8.2k 33.1k/32.8k 131.7k/131.1k"),
    ("cbam", {"reduction": 16, "min_width": 1, "kernel": 7},
     "149/100.4k 262/25.3k 680/7.3k 680/101.4k 2.3k/29.2k 8.6k/22.7k 33.4k/67.1k"),
    ("non_local", {"reduction": 2},
     "584/17.30M 2.2k/2.62M 8.5k/786.4k 8.5k/75.50M 33.3k/16.78M 132.2k/9.44M 526.6k/8.52M"),
    ("non_local", {"reduction": 2, "sub_sample": True},
     "584/4.52M 2.2k/852.0k 8.5k/393.2k 8.5k/22.02M 33.3k/7.34M 132.2k/5.51M 526.6k/5.28M"),
    ("non_local", {"reduction": 8},
     "182/4.33M 620/655.4k 2.3k/196.6k 2.3k/18.87M 8.6k/4.19M 33.6k/2.36M 132.8k/2.13M"),
    ("dual", {"branches": "both", "reduction": 8},
     "342/19.73M 1.3k/3.21M 5.2k/1.15M 5.2k/89.13M 20.6k/23.07M 82.2k/14.81M 328.3k/13.78M"),
    ("criss_cross", {"recurrences": 1, "reduction": 8},
     "341/1.51M 1.3k/622.6k 5.2k/401.4k 5.2k/9.96M 20.6k/6.42M 82.2k/5.54M 328.3k/5.32M"),
    ("criss_cross", {"recurrences": 2, "reduction": 8},
     "341/3.01M 1.3k/1.25M 5.2k/802.8k 5.2k/19.92M 20.6k/12.85M 82.2k/11.08M 328.3k/10.63M"),
    ("gam", {"variant": "full", "reduction": 4},
     "6.5k/6.55M 25.8k/6.55M 102.7k/6.55M 102.7k/104.86M 410.2k/104.86M 1.64M/104.86M "
     "6.56M/104.86M"),
    ("gam", {"variant": "grouped", "groups": 4, "reduction": 4},
     "1.8k/1.74M 6.9k/1.74M 27.5k/1.74M 27.5k/27.79M 109.2k/27.79M 435.5k/27.79M 1.74M/27.79M"),
    ("gam", {"variant": "factorised", "reduction": 4},
     "568/491.5k 2.1k/491.5k 8.0k/491.5k 8.0k/7.86M 31.4k/7.86M 124.3k/7.86M 494.3k/7.86M"),
]
# fmt: on


def short(count: int) -> str:
    if count < 1000:
        return str(count)
    return f"{count / 1e3:.1f}k" if count < 1_000_000 else f"{count / 1e6:.2f}M"


@pytest.mark.parametrize(("kind", "setting", "row"), TABLE)
def test_costs_at_the_usual_widths_are_those_of_independent_modules(
    kind: str, setting: dict[str, Any], row: str
) -> None:
    mechanism = MECHANISMS[kind].model_validate(setting)
    counted = [f"{short(mechanism.params(s))}/{short(mechanism.macs(s))}" for s in WIDTHS]
    assert " ".join(counted) == row
