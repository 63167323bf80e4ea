"""Which facts of a module call it dead, in which words, and how facts are stored."""

import json
from math import inf, nan

import pytest
import torch
from torch import nn

from backbones import GateStatistics, ModuleStatistics, as_plain, gate_statistics, reason_dead
from backbones.attention.dual import Dual
from backbones.attention.non_local import NonLocal
from space.attention.dual import DualSizes
from space.attention.non_local import NonLocalSizes

ALIVE = GateStatistics("vector", 0.5, spread=0.1, saturation=0.2)
SOFTMAX = GateStatistics("rows", 1 / 64, spread=0.01, entropy=0.6, diagonal=0.3)


def module(*gates: GateStatistics, gain: float = 0.5) -> ModuleStatistics:
    return ModuleStatistics(gain, {f"gate{number}": one for number, one in enumerate(gates)})


@pytest.mark.parametrize(
    ("statistics", "words"),
    [
        (module(ALIVE, gain=0.0009), "changes its input by 0.0009"),
        (module(GateStatistics("vector", 0.5, spread=9e-4, saturation=0.0)), "does not depend"),
        (module(GateStatistics("rows", 1 / 64, 1e-5, entropy=0.6)), "does not depend"),
        (module(GateStatistics("rows", 1 / 64, 0.01, entropy=0.9995)), "plain mean"),
        (module(GateStatistics("rows", 1 / 64, 0.01, None, 0.01, 0.995)), "99.5 % from itself"),
        (module(GateStatistics("map", 0.02, 0.02, saturation=0.995)), "at its limits in 99.5 %"),
        (module(ALIVE, GateStatistics("scalar", nan)), "not finite"),
        (module(ALIVE, gain=nan), "not finite"),
    ],
)
def test_a_dead_module_is_named_with_its_reason(statistics: ModuleStatistics, words: str) -> None:
    reason = reason_dead(statistics)
    assert reason is not None
    assert words in reason


@pytest.mark.parametrize(
    "statistics",
    [
        module(ALIVE, gain=0.0011),
        module(GateStatistics("vector", 0.5, spread=1.1e-3, saturation=0.989)),
        # Weights of 1,024 keys that vary by a tenth of themselves: small, as they must be.
        module(GateStatistics("rows", 1 / 1024, 0.1 / 1024, entropy=0.99)),
        module(SOFTMAX),
        module(GateStatistics("rows", 2.0, 0.1, diagonal=5.0)),  # free rows sum to anything
        module(ALIVE, GateStatistics("map", 0.5, 0.0, 0.0)),
        module(GateStatistics("scalar", 0.0)),
        module(GateStatistics("vector", 0.5, saturation=0.2)),  # one image tells no spread
        module(ALIVE, gain=inf),
    ],
)
def test_a_module_with_one_gate_at_work_is_alive(statistics: ModuleStatistics) -> None:
    assert reason_dead(statistics) is None


def test_every_gate_of_a_dead_module_has_its_words() -> None:
    uniform = GateStatistics("rows", 1 / 64, 0.0, entropy=1.0)
    own = GateStatistics("rows", 1 / 64, 0.0, entropy=0.0, diagonal=1.0)
    reason = reason_dead(module(uniform, own))
    assert reason is not None
    assert [one.split(":")[0] for one in reason.split("; ")] == ["gate0", "gate1"]


def test_an_untrained_non_local_block_is_dead() -> None:
    block = NonLocal(8, NonLocalSizes(4, "embedded_gaussian", sub_sample=False))
    found = gate_statistics(block, [torch.randn(4, 8, 4, 4)])[""]
    assert found.gain == 0
    assert reason_dead(found) == "it changes its input by 0 of its size, less than 0.001"


def test_channels_that_attend_to_themselves_alone_are_dead() -> None:
    """Of independent channels of size 10, X·Xᵀ/N has logits of about 100 on its diagonal."""
    torch.manual_seed(0)
    block = Dual(8, DualSizes(0, "channel", "scaled"))
    nn.init.constant_(block.beta, 0.5)
    found = gate_statistics(block, [10 * torch.randn(4, 8, 16, 16)])[""]
    assert found.gain == pytest.approx(0.5)
    assert reason_dead(found) == "channel: takes 100.0 % from itself"


def test_plain_facts_have_frozen_names_and_six_digits() -> None:
    gate = GateStatistics("rows", 1 / 3, 2 / 3e5, 0.5, 1e-12, 123456.789, (0.25, 0.75))
    found = as_plain({"stage1.end.0": ModuleStatistics(2 / 3, {"pairs": gate, "gain": ALIVE})})
    assert json.loads(json.dumps(found)) == {
        "stage1.end.0": {
            "gain": 0.666667,
            "gates": {
                "pairs": {
                    "form": "rows",
                    "mean": 0.333333,
                    "spread": 6.66667e-06,
                    "saturation": 0.5,
                    "entropy": 1e-12,
                    "diagonal": 123457,
                    "histogram": [0.25, 0.75],
                },
                "gain": {"form": "vector", "mean": 0.5, "spread": 0.1, "saturation": 0.2},
            },
        }
    }
