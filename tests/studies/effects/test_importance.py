import numpy as np
import pytest

from space import Placement, cost, plain
from studies import Evaluation, Front, front_of
from studies.effects.by_stage import effects_of
from studies.effects.importance import Importance, importances
from tests.studies.planted import SMALL, Worth, factorial, planted

PLAIN = plain("resnet8")


def front_with(worth: Worth, rows: list[Evaluation] | None = None) -> Front:
    return front_of(rows or planted(factorial() * 3, worth, noise=0.003), "resnet8", "macs")


def ranked(worth: Worth) -> tuple[Importance, ...]:
    front = front_with(worth)
    effects = effects_of(front, SMALL)
    assert effects is not None
    return importances(front, effects, SMALL)


def test_the_stage_that_matters_comes_first_and_idle_ones_are_near_zero() -> None:
    first, second, third = ranked({(2, "se"): 0.02, (2, "simam"): -0.01})
    assert [one.parameter for one in (first, second, third)] == [
        "stage1.attention",
        "stage2.attention",
        "stage3.attention",
    ]
    assert second.share > 0.95
    assert second.probability_first > 0.99
    assert max(first.share, third.share) < 0.05


def test_known_is_the_deviation_of_the_options_effects() -> None:
    """Nothing 0, SE +2, SimAM −1 points, as often each: √(5/3 − (1/3)²) = 1.2472 points."""
    second = ranked({(2, "se"): 0.02, (2, "simam"): -0.01})[1]
    assert second.known == pytest.approx(0.012472, rel=0.1)
    assert second.num_options == 3


def test_harm_matters_as_much_as_good() -> None:
    """The trap of ranking a maximised objective by its low values."""
    good, harm = ranked({(3, "se"): 0.02}), ranked({(3, "se"): -0.02})
    assert good[2].share == pytest.approx(harm[2].share, abs=0.02)
    assert good[2].known == pytest.approx(harm[2].known, rel=0.1)


def test_where_nothing_matters_errors_outweigh_what_is_known() -> None:
    rows = ranked({})
    assert all(one.known < one.unknown for one in rows)
    assert max(one.probability_first for one in rows) < 0.95
    assert sum(one.probability_first for one in rows) == pytest.approx(1)


def test_shares_sum_to_one() -> None:
    rows = ranked({(1, "se"): 0.01, (3, "simam"): 0.01})
    assert sum(one.share for one in rows) == pytest.approx(1)
    assert sum(one.cost_share for one in rows) == pytest.approx(1)


def test_the_share_of_the_cost_is_exact() -> None:
    """In a whole design stages are independent: their variances add up to the total's."""
    rows = ranked({})
    networks = factorial()
    total = np.var([cost(one).macs for one in networks])
    by_stage = [
        np.var(
            [
                cost(SMALL.architecture((None,) * s + (p,) + (None,) * (2 - s))).macs
                for p in _options(s)
            ]
        )
        for s in range(3)
    ]
    assert sum(by_stage) == pytest.approx(total)
    assert [one.cost_share for one in rows] == pytest.approx([one / total for one in by_stage])


def test_without_effects_nothing_is_ranked() -> None:
    front = front_with({}, planted([PLAIN] * 3, {}, noise=0.003))
    effects = effects_of(front, SMALL)
    assert effects is not None
    assert importances(front, effects, SMALL) == ()


def _options(stage: int) -> list[Placement | None]:
    """Return nothing, SE and SimAM as the design places them."""
    step = 3 ** (2 - stage)
    return [None, *(factorial()[n * step].stages[stage][0] for n in (1, 2))]
