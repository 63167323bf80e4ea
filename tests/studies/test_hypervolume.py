import numpy as np
import pytest

from studies.hypervolume import expected_gains, expected_improvement, hypervolume, staircase


def test_the_staircase_rises_and_starts_at_plain() -> None:
    points = [(0.5, 0.02), (0.2, 0.01), (0.6, 0.015), (0.9, 0.03), (0.1, -0.01)]
    assert staircase(points) == [(0, 0), (0.2, 0.01), (0.5, 0.02), (0.9, 0.03)]


def test_the_hypervolume_is_the_sum_of_the_steps() -> None:
    points = [(0.2, 0.01), (0.5, 0.02)]
    assert hypervolume(points, edge=1.0) == pytest.approx(0.3 * 0.01 + 0.5 * 0.02)


def test_what_lies_beyond_the_edge_counts_nothing() -> None:
    assert hypervolume([(0.2, 0.01), (1.5, 0.5)], edge=1.0) == pytest.approx(0.8 * 0.01)


def test_a_network_below_plain_adds_nothing() -> None:
    assert hypervolume([(0.2, -0.01)], edge=1.0) == 0


def test_expected_improvement_is_the_textbooks() -> None:
    """At the level itself it is σ / √(2π); far above it is the distance; far below, nothing."""
    above, sd = np.array([0.0, 5.0, -5.0]), np.array([2.0, 0.1, 0.1])
    found = expected_improvement(above, sd)
    assert found == pytest.approx([2 / np.sqrt(2 * np.pi), 5, 0], abs=1e-9)


def test_a_certain_network_is_expected_to_add_what_it_adds() -> None:
    points, edge = [(0.2, 0.01), (0.5, 0.02)], 1.0
    for new in ((0.0, 0.005), (0.3, 0.015), (0.3, 0.05), (0.7, 0.01), (1.2, 0.9)):
        place, gain = (np.array([value]) for value in new)
        (found,) = expected_gains(staircase(points), edge, place, gain, np.array([0.0]))
        whole = hypervolume([*points, new], edge)
        assert found == pytest.approx(whole - hypervolume(points, edge), abs=1e-9)


def test_the_expectation_agrees_with_draws() -> None:
    points, edge, place, mean, error = [(0.2, 0.01), (0.5, 0.02)], 1.0, 0.3, 0.012, 0.006
    draws = np.random.default_rng(0).normal(mean, error, 4000)
    base = hypervolume(points, edge)
    added = [hypervolume([*points, (place, gain)], edge) - base for gain in draws]
    (found,) = expected_gains(
        staircase(points), edge, np.array([place]), np.array([mean]), np.array([error])
    )
    assert found == pytest.approx(np.mean(added), abs=4 * np.std(added) / np.sqrt(4000))
