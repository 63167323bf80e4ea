from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest

from studies.estimates.posterior import Noise
from studies.paired import Difference, flip_variance, paired_difference

Pack = Callable[[str], bytes]


def flipping(generator: np.random.Generator, num_runs: int, num_images: int) -> list[bytes]:
    """Return runs that get each image right with probability 0.9, independently."""
    bits = generator.random((num_runs, num_images)) < 0.9
    return [np.packbits(run).tobytes() for run in bits]


def test_a_difference_is_the_mean_change_over_the_images(pack: Pack) -> None:
    found = paired_difference([pack("11110000")], [pack("11000000")], None, 0.0)
    assert found.mean == pytest.approx(2 / 8)
    variance = (2 * (1 - 0.25) ** 2 + 6 * 0.25**2) / 7
    assert found.standard_error == pytest.approx(sqrt(variance / 8))


def test_the_runs_of_each_architecture_are_averaged_first(pack: Pack) -> None:
    first = [pack("11111111"), pack("11110000")]
    found = paired_difference(first, [pack("11000000")], None, 0.0)
    change = [0, 0, 1, 1, 0.5, 0.5, 0.5, 0.5]
    assert found.mean == pytest.approx(4 / 8)
    assert found.standard_error == pytest.approx(sqrt(np.var(change, ddof=1) / 8))


def test_what_runs_differ_by_beyond_flips_is_added_for_each_run(pack: Pack) -> None:
    first, second = [pack("11110000")] * 2, [pack("11000000")]
    alone = paired_difference(first, second, None, 0.0)
    found = paired_difference(first, second, Noise(0.1, 7), 0.004)
    together = (0.1**2 - 0.004) * (1 / 2 + 1 / 1)
    assert found.standard_error**2 == pytest.approx(alone.standard_error**2 + together)
    assert found.degrees_of_freedom == 7


def test_noise_that_flips_explain_is_not_added_again(pack: Pack) -> None:
    first, second = [pack("11110000")], [pack("11000000")]
    alone = paired_difference(first, second, None, 0.0)
    found = paired_difference(first, second, Noise(0.1, 7), 0.02)
    assert found.standard_error == alone.standard_error


def test_identical_runs_include_zero(pack: Pack) -> None:
    runs = [pack("11110000")]
    found = paired_difference(runs, runs, Noise(1e-9, 100), 1.0)
    assert (found.mean, found.standard_error) == (0, 0)
    assert found.includes_zero


def test_without_a_known_noise_the_interval_includes_zero(pack: Pack) -> None:
    found = paired_difference([pack("11111111")], [pack("00000000")], None, 0.0)
    assert found.mean == 1
    assert found.degrees_of_freedom == 0
    assert found.includes_zero


def test_the_interval_is_students() -> None:
    """4.303 deviations for 2 degrees of freedom, 1.960 for many: any t table."""
    assert Difference(4.30, 1.0, 2).includes_zero
    assert not Difference(-4.31, 1.0, 2).includes_zero
    assert Difference(-1.959, 1.0, 10**7).includes_zero
    assert not Difference(1.961, 1.0, 10**7).includes_zero


def test_the_flips_of_independent_images_are_binomial() -> None:
    runs = [flipping(np.random.default_rng(seed), 20, 800) for seed in (1, 2)]
    assert flip_variance(runs) == pytest.approx(0.9 * 0.1 / 800, rel=0.05)


def test_flips_are_weighted_by_degrees_of_freedom(pack: Pack) -> None:
    steady = [pack("11110000")] * 2  # 1 degree of freedom, no flip
    flipped = [pack("11110000"), pack("11100000"), pack("11110000")]  # 2, one image: variance 1/3
    assert flip_variance([steady, flipped]) == pytest.approx((0 + 2 * (1 / 3 / 8 / 8)) / 3)


def test_architectures_with_one_run_say_nothing_of_flips(pack: Pack) -> None:
    assert flip_variance([[pack("11110000")], [pack("10101010")]]) == 0
    assert flip_variance([]) == 0


def test_two_equal_networks_differ_in_one_comparison_of_twenty() -> None:
    generator, num_images = np.random.default_rng(0), 400
    flips = 0.9 * 0.1 / num_images
    noise = Noise(sqrt(flips), 10**6)
    included = [
        paired_difference(
            flipping(generator, 1, num_images), flipping(generator, 2, num_images), noise, flips
        ).includes_zero
        for _ in range(300)
    ]
    assert 0.91 <= float(np.mean(included)) <= 0.985
