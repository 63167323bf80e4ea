from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from search.config import NUM_VALIDATION, StudyConfig
from search.forecast import (
    FORWARD_SHARE,
    Speed,
    forecast_seconds,
    images_of_epoch,
    mean_cost_ratio,
    remembered_speed,
    scaled,
)
from space import SearchSpace, baselines, cost, plain, random_architecture
from studies import Evaluation

MakeEvaluation = Callable[..., Evaluation]

PLAIN, USUAL = plain("resnet8"), baselines(SearchSpace(backbone="resnet8"))
SPEED = Speed(images_per_second=500.0, num_workers=2)


@pytest.fixture
def alone(small_config: StudyConfig) -> StudyConfig:
    """The study without reference networks."""
    return small_config.model_copy(update={"references": False})


def test_a_training_takes_its_images_epochs_and_mean_cost(alone: StudyConfig) -> None:
    images = 200 + FORWARD_SHARE * 1_000  # trained on, and the sample's validation images
    one = 2 * images * mean_cost_ratio(alone.search_space) / 500  # 2 epochs at 500 images/s
    assert forecast_seconds(alone, SPEED, 30, ()) == pytest.approx(30 * one / 2)  # 2 workers


def test_what_is_done_is_not_forecast(alone: StudyConfig, make_evaluation: MakeEvaluation) -> None:
    known = [
        make_evaluation(PLAIN, 0.9),
        make_evaluation(USUAL["se"], 0.9),
        make_evaluation(PLAIN, 0.9, state="failed"),
        make_evaluation(plain("resnet14"), 0.9, purpose="reference"),
    ]
    rest = forecast_seconds(alone, SPEED, 30, known)
    assert rest == pytest.approx(28 / 30 * forecast_seconds(alone, SPEED, 30, ()))
    assert forecast_seconds(alone, SPEED, 1, known) == 0


def test_references_take_their_macs_until_they_are_proposed(
    small_config: StudyConfig, alone: StudyConfig, make_evaluation: MakeEvaluation
) -> None:
    base = cost(PLAIN).macs
    ratios = sum(cost(plain(name)).macs / base for name in ("resnet14", "resnet20"))
    images = 200 + FORWARD_SHARE * 1_000
    with_them, without = (forecast_seconds(one, SPEED, 30, ()) for one in (small_config, alone))
    assert with_them - without == pytest.approx(ratios * 2 * images / 500 / 2)
    proposed = [make_evaluation(plain("resnet14"), 0.9, purpose="reference")]
    assert forecast_seconds(small_config, SPEED, 30, proposed) == pytest.approx(without)


@pytest.mark.parametrize(
    ("field", "factor"), [("images_per_second", 1 / 3), ("num_workers", 1 / 3)]
)
def test_three_times_the_speed_or_workers_take_a_third(
    field: str, factor: float, small_config: StudyConfig
) -> None:
    faster = replace(SPEED, **{field: 3 * getattr(SPEED, field)})
    usual = forecast_seconds(small_config, SPEED, 30, ())
    assert forecast_seconds(small_config, faster, 30, ()) == pytest.approx(factor * usual)


def test_a_space_of_nothing_costs_what_plain_costs() -> None:
    assert mean_cost_ratio(SearchSpace(backbone="resnet8", kinds=())) == 1


def test_the_mean_cost_is_that_of_parameters_drawn_evenly() -> None:
    """SE: in every stage with probability 1/2, each position and reduction equally often."""
    space = SearchSpace(backbone="resnet8", kinds=("se",))
    added = 0.0
    for stage in space.stages:
        of_each = [stage.cost(one).macs for one in stage.placements]
        added += sum(of_each) / len(of_each) / 2
    found = (mean_cost_ratio(space) - 1) * cost(PLAIN).macs
    assert found == pytest.approx(added, rel=0.2)  # three standard errors of 200 draws


def test_the_mean_cost_is_over_what_a_budget_allows() -> None:
    space, least = SearchSpace(backbone="resnet8"), cost(PLAIN)
    half = int(least.macs * (1 + mean_cost_ratio(space)) / 2)
    within = mean_cost_ratio(space, {"macs": half})
    assert 1 <= within <= half / least.macs < mean_cost_ratio(space)
    generator = Random(0)
    drawn = [cost(random_architecture(generator, space)) for _ in range(200)]
    known = [one.macs for one in drawn if one.macs <= half]
    assert within == pytest.approx(sum(known) / len(known) / least.macs)
    assert mean_cost_ratio(space, {"params": least.params - 1}) == 1  # nothing fits


def test_a_study_within_a_budget_is_forecast_shorter(alone: StudyConfig) -> None:
    limited = alone.model_copy(update={"max_macs": int(1.01 * cost(PLAIN).macs)})
    ratio = mean_cost_ratio(alone.search_space, limited.limits) / mean_cost_ratio(
        alone.search_space
    )
    shorter = ratio * forecast_seconds(alone, SPEED, 30, ())
    assert ratio < 1
    assert forecast_seconds(limited, SPEED, 30, ()) == pytest.approx(shorter)


def test_only_the_last_epoch_validates_with_all_images(small_config: StudyConfig) -> None:
    """The sample's 1,000 images once, 100 in three epochs before: a mean of 325."""
    few = {"epochs": 4, "curve_images": 100}
    protocol = small_config.protocol.model_copy(update=few)
    found = images_of_epoch(small_config.model_copy(update={"protocol": protocol}))
    assert found == pytest.approx(200 + 325 / 3)
    assert images_of_epoch(small_config) == pytest.approx(200 + 1_000 / 3)


def test_another_plain_network_is_slower_by_its_macs() -> None:
    ratio = cost(plain("resnet20")).macs / cost(plain("resnet8")).macs
    assert ratio > 1
    slower = scaled(SPEED, "resnet8", "resnet20")
    assert slower.images_per_second == pytest.approx(500 / ratio)
    assert slower.num_workers == 2
    assert scaled(SPEED, "resnet8", "resnet8") == SPEED


def test_the_speed_is_remembered_from_plain_trainings_alone(
    make_evaluation: MakeEvaluation, small_config: StudyConfig
) -> None:
    known = [
        make_evaluation(PLAIN, 0.9, images_per_second=100.0),
        make_evaluation(PLAIN, 0.9, images_per_second=200.0, purpose="replicate"),
        make_evaluation(PLAIN, None, images_per_second=None, state="failed"),
        make_evaluation(USUAL["se"], 0.9, images_per_second=1.0),
        make_evaluation(plain("resnet14"), 0.9, images_per_second=1.0, purpose="reference"),
    ]
    protocol = small_config.protocol
    validation = NUM_VALIDATION[protocol.dataset]
    share = (protocol.train_images + validation / 3) / protocol.train_images
    speed = remembered_speed(small_config, known, 3)
    assert speed is not None
    assert speed.images_per_second == pytest.approx(150.0 * share)
    assert remembered_speed(small_config, known[2:], 3) is None
