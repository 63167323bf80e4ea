import numpy as np
import pytest

from studies.pictures.facts import NUM_RANGES, GateValues, ModuleFacts, histogram, sampled


def test_a_bounded_gate_is_counted_over_all_its_limits() -> None:
    """Ranges of 1/40: 0.26 is in the eleventh, and a gate on its upper limit in the last."""
    found = histogram(GateValues("channel", "", np.array([0.26, 0.26, 1.0, 0.0]), (0.0, 1.0)))
    expected = [0.0] * NUM_RANGES
    expected[10], expected[-1], expected[0] = 0.5, 0.25, 0.25
    assert found.shares == tuple(expected)
    assert (found.edges[0], found.edges[-1], found.is_log) == (0.0, 1.0, False)


def test_rows_are_counted_by_how_often_the_mean_weight_they_are() -> None:
    """Of 64 keys, 1/64 is once the mean: log(1/0.001) / log(64/0.001) of the 40 ranges."""
    found = histogram(GateValues("pairs", "", np.full(10, 1 / 64), (0.0, 1.0), num_keys=64))
    place = int(np.log(1e3) / np.log(64e3) * 40)
    assert found.shares[place] == 1
    assert found.is_log
    assert found.edges[0] == pytest.approx(1e-3)


def test_a_weight_of_nothing_is_at_the_lower_end_of_its_logarithm() -> None:
    found = histogram(GateValues("pairs", "", np.array([0.0, 1.0]), (0.0, 1.0), num_keys=64))
    assert (found.shares[0], found.shares[-1]) == (0.5, 0.5)


@pytest.mark.parametrize("constant", [0.0, 1.0, -3.0])
def test_a_gate_without_limits_is_counted_over_its_own_range(constant: float) -> None:
    found = histogram(GateValues("added", "", np.array([-2.0, 0.0, 2.0])))
    assert (found.edges[0], found.edges[-1]) == (-2.0, 2.0)
    alone = histogram(GateValues("added", "", np.full(5, constant)))
    assert alone.edges[0] < constant < alone.edges[-1]
    assert sum(alone.shares) == 1


def test_what_is_not_finite_is_not_counted() -> None:
    values = np.array([np.nan, np.inf, 0.5])
    assert sum(histogram(GateValues("gate", "", values, (0.0, 1.0))).shares) == 1
    empty = histogram(GateValues("gate", "", values[:2], (0.0, 1.0)))
    assert empty.shares == ()
    assert empty.axis == "no finite value"


def test_a_sample_reaches_every_column_of_every_image() -> None:
    """Rows of 8 keys hold their column's number: every second value would never show the odd."""
    rows = np.tile(np.arange(8.0), (2, 64, 1))
    few = sampled(rows, 256)
    assert few.shape == (2, 171)  # every third of 512
    assert set(few[0]) == set(range(8))
    assert np.array_equal(sampled(rows, 1000), rows.reshape(2, -1))


def test_a_module_is_one_line() -> None:
    gate = GateValues("channel", "mean 0.5", np.zeros(2))
    module = ModuleFacts("stage1.end.0", "se r16 on 16@8x8", "works", False, (), (gate, gate))
    assert module.line == (
        "stage1.end.0: se r16 on 16@8x8: channel mean 0.5; channel mean 0.5; works"
    )
