"""What a worker reports is checked whole before any of it is believed."""

from dataclasses import replace

import pytest

from search.config import config_of
from search.soundness import fault_of, fault_of_epoch
from space import cost, plain
from studies import Epoch, Outcome, Times
from tests.search.fake_trainer import fake_bits
from tests.search.scripted import SETTINGS

PROTOCOL = config_of({**SETTINGS, "epochs": 3}).protocol
PRICE = cost(plain("resnet20"))
CURVE = [Epoch(number, 1.0, 1.0, 0.5, 2.0) for number in (1, 2, 3)]
TIMES = Times(0.1, 5.0, 1.0, 0.2)
SOUND = Outcome(0.9, fake_bits(0.9, 1), PRICE.macs, PRICE.params, 6.0, 50.0, times=TIMES)


def test_a_whole_outcome_has_no_fault() -> None:
    assert fault_of(SOUND, PRICE, PROTOCOL, CURVE) is None
    assert fault_of(replace(SOUND, times=None), PRICE, PROTOCOL, CURVE) is None


@pytest.mark.parametrize("shown", [[], [1, 2], [2, 3], [1, 1, 2, 3], [1, 3, 2]])
def test_an_outcome_needs_every_epoch_of_the_protocol_once_and_in_order(shown: list[int]) -> None:
    curve = [CURVE[number - 1] for number in shown]
    fault = fault_of(SOUND, PRICE, PROTOCOL, curve)
    expected = f"an outcome must come behind the epochs 1 to 3, got it behind {shown}"
    assert fault == expected


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"times": {"start": 1}}, "times must be Times, got {'start': 1}"),
        (
            {"times": replace(TIMES, closing=float("nan"))},
            "seconds of closing must be a finite number, got nan",
        ),
        (
            {"times": replace(TIMES, training="5")},  # type: ignore[arg-type] # as a worker may
            "seconds of training must be a finite number, got '5'",
        ),
        ({"unaveraged": float("inf")}, "accuracy must be from 0 to 1, got inf"),
        ({"seconds": 10**400}, f"seconds must be a finite number, got {str(10**400)[:40]}..."),
    ],
)
def test_what_no_clock_and_no_validation_shows_is_a_fault(
    changed: dict[str, object], fault: str
) -> None:
    odd = replace(SOUND, **changed)  # type: ignore[arg-type] # of other types, as workers may send
    assert fault_of(odd, PRICE, PROTOCOL, CURVE) == fault


def test_an_epoch_must_be_the_next() -> None:
    second = CURVE[1]
    assert fault_of_epoch(second, PROTOCOL, 2) is None
    assert fault_of_epoch(second, PROTOCOL, 3) == "epoch must be 3, the next, got 2"
    assert fault_of_epoch(second, PROTOCOL, 1) == "epoch must be 1, the next, got 2"
