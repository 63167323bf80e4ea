"""The closed forms against the papers' arithmetic, written out here a second time."""

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from space import MECHANISMS, Shape
from tests.space.allowed import allowed_values

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
    g_and_out = c * d * keys + d * c * n, (c * d + d) + (d * c + c)
    theta_and_phi = c * d * n + c * d * keys, 2 * (c * d + d)
    macs, params = g_and_out[0] + n * keys * d, g_and_out[1] + 2 * c  # ... and the norm
    if s["pairwise"] == "gaussian":
        return macs + n * keys * c, params
    macs, params = macs + theta_and_phi[0], params + theta_and_phi[1]
    if s["pairwise"] == "concatenation":  # one number for each query and each key, then a sum
        return macs + d * n + d * keys, params + 2 * d
    return macs + n * keys * d, params


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


def eca(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    k = s["kernel"]
    if k == "adaptive":
        whole = int(math.log2(c) / 2 + 1 / 2)  # γ = 2, b = 1
        k = max(3, whole if whole % 2 else whole + 1)
    return k * c + 0 * h * w, k


def gct(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    assert s["norm"] in ("l2", "l1")
    return 0 * h * w, c + c + c


def bam(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    m, n = max(s["min_width"], c // s["reduction"]), h * w
    channel_macs, channel_params = c * m + m * c, (c * m + m) + 2 * m + (m * c + c)
    dilated = 3 * 3 * m * m
    spatial_macs = n * (c * m + dilated + dilated + m)
    spatial_params = (c * m + m) + 2 * m + 2 * (dilated + m + 2 * m) + (m + 1)
    return channel_macs + spatial_macs, channel_params + spatial_params


def coord(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    m = max(s["min_width"], c // s["reduction"])
    shared, rows, columns = c * m * (h + w), m * c * h, m * c * w
    return shared + rows + columns, (c * m + m) + 2 * m + 2 * (m * c + c)


def triplet(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    kernel = 2 * s["kernel"] * s["kernel"]
    return kernel * h * w + kernel * c * w + kernel * c * h, 3 * (kernel + 2)


def simam(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    return 0 * c * h * w, 0 * len(s)


def gc(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    m, n = max(s["min_width"], c // s["reduction"]), h * w
    logits, mean, layers = c * n, c * n, c * m + m * c
    return logits + mean + layers, (c + 1) + (c * m + m) + 2 * m + (m * c + c)


def double(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    m = n = max(1, c // s["reduction"])
    projections = (c * m + c * n + c * n + m * c) * h * w
    gathering, distribution = m * n * h * w, m * n * h * w
    params = (c * m + m) + 2 * (c * n + n) + (m * c + c)
    return projections + gathering + distribution, params


def mhsa(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    d, n = c // s["heads"], h * w
    offsets = (2 * h - 1) + (2 * w - 1)
    one_head = n * n * d + n * offsets * d + n * n * d
    return 3 * c * c * n + s["heads"] * one_head, 3 * c * c + offsets * d


def lka(c: int, h: int, w: int, s: dict[str, Any]) -> tuple[int, int]:
    local, distant = {2: (3 * 3, 5 * 5), 3: (5 * 5, 7 * 7)}[s["dilation"]]
    macs = (local * c + distant * c + c * c) * h * w
    return macs, (local + 1) * c + (distant + 1) * c + (c * c + c)


FORMULAS: dict[str, Formula] = {
    "se": se,
    "cbam": cbam,
    "non_local": non_local,
    "dual": dual,
    "criss_cross": criss_cross,
    "gam": gam,
    "eca": eca,
    "gct": gct,
    "bam": bam,
    "coord": coord,
    "triplet": triplet,
    "simam": simam,
    "gc": gc,
    "double": double,
    "mhsa": mhsa,
    "lka": lka,
}


def settings(kind: str) -> list[dict[str, Any]]:
    values = allowed_values(kind)
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
    ("eca", {}, "3/48 3/96 3/192 3/192 5/640 5/1.3k 5/2.6k"),
    ("gct", {}, "48/0 96/0 192/0 192/0 384/0 768/0 1.5k/0"),
    ("bam", {"reduction": 16, "min_width": 1, "dilation": 4},
     "96/35.9k 323/35.5k 1.2k/35.6k 1.2k/561.7k 4.5k/561.2k 17.4k/566.3k 68.5k/590.3k"),
    ("coord", {"reduction": 32, "min_width": 8},
     "440/16.4k 856/16.4k 1.7k/16.4k 1.7k/65.5k 3.4k/65.5k 6.7k/65.5k 25.6k/131.1k"),
    ("triplet", {"kernel": 7},
     "300/200.7k 300/125.4k 300/106.6k 300/501.8k 300/426.5k 300/407.7k 300/403.0k"),
    ("simam", {}, "0/0 0/0 0/0 0/0 0/0 0/0 0/0"),
    ("gc", {"reduction": 4},
     "173/32.9k 601/16.9k 2.2k/10.2k 2.2k/133.1k 8.5k/73.7k 33.5k/65.5k 132.5k/147.5k"),
    # The first two by hand: the independent modules are 1 and 2 wide there, these 4.
    ("gc", {"reduction": 16},
     "173/32.9k 333/16.6k 653/8.7k 653/131.6k 2.3k/67.6k 8.8k/41.0k 33.9k/49.2k"),
    ("double", {"reduction": 4},
     "284/294.9k 1.1k/294.9k 4.2k/294.9k 4.2k/4.72M 16.6k/4.72M 66.0k/4.72M 263.0k/4.72M"),
    ("mhsa", {"heads": 4},
     "1.3k/36.41M 3.6k/5.49M 12.8k/1.43M 14.3k/155.06M 51.1k/31.39M 198.5k/15.17M 788.2k/12.96M"),
    ("lka", {"dilation": 3},
     "1.5k/1.47M 3.5k/868.4k 9.0k/565.2k 9.0k/9.04M 26.2k/6.62M 85.2k/5.41M 301.6k/4.80M"),
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
