import pytest

from search.config import StudyConfig
from search.training.schedule import one_cycle, rate

PEAK, WARMUP = 0.2, 0.25


def test_the_rate_starts_at_0_peaks_after_the_warmup_and_ends_at_0() -> None:
    assert one_cycle(0.0, PEAK, WARMUP) == 0
    assert one_cycle(WARMUP, PEAK, WARMUP) == pytest.approx(PEAK, rel=1e-12)
    assert one_cycle(1.0, PEAK, WARMUP) == 0


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("warmup", [0.01, 0.25, 0.9])
def test_the_rate_is_linear_between(share: float, warmup: float) -> None:
    assert one_cycle(share * warmup, PEAK, warmup) == pytest.approx(share * PEAK)
    falling = warmup + share * (1 - warmup)
    assert one_cycle(falling, PEAK, warmup) == pytest.approx((1 - share) * PEAK)


def test_no_step_has_a_negative_rate_and_all_together_half_the_peak() -> None:
    """The area of a triangle of height `peak` over a base of 1, wherever its top is."""
    for warmup in (0.1, 0.25, 0.7):
        rates = [one_cycle(step / 10_000, PEAK, warmup) for step in range(10_001)]
        assert min(rates) == 0
        assert max(rates) == pytest.approx(PEAK, rel=1e-3)
        assert sum(rates) / 10_000 == pytest.approx(PEAK / 2, rel=1e-3)


@pytest.mark.parametrize("progress", [0.0, 0.1, 0.5, 1.0])
def test_the_tutorials_rate_is_always_the_same(progress: float, small_config: StudyConfig) -> None:
    own = small_config.protocol
    assert rate(own, progress) == one_cycle(progress, own.learning_rate, own.warmup)
    theirs = own.model_copy(update={"recipe": "tutorial", "learning_rate": 1e-3})
    assert rate(theirs, progress) == 1e-3
