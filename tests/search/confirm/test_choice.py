"""Who is confirmed and beside whom, on a study made by hand."""

import pytest

from search.config import StudyConfig, config_of
from search.confirm.choice import (
    Question,
    confirm_protocol,
    confirmation_of,
    finalists,
)
from space import Architecture, Refusal, SearchSpace, baselines, cost, cost_axis, digest, plain
from studies import Front, front_of
from studies.front import recommended
from tests.studies.planted import trained

SPACE = SearchSpace(backbone="resnet8")
USUAL = baselines(SPACE)
PLAIN = plain("resnet8")
CONFIG = config_of(
    {
        "backbone": "resnet8",
        "dataset": "cifar10-sample",
        "train_images": 2_000,
        "epochs": 4,
        "batch_size": 50,
        "learning_rate": 0.1,
    }
)


def front_with(gains: dict[str, float]) -> Front:
    """Return the front of baselines with these gains in points, three runs of each."""
    runs = [(PLAIN, 0.5 + e) for e in (-0.001, 0.0, 0.001)]
    runs += [
        (USUAL[kind], 0.5 + gain / 100 + e)
        for kind, gain in gains.items()
        for e in (-0.001, 0.0, 0.001)
    ]
    return front_of([trained(n, *one) for n, one in enumerate(runs)], "resnet8", "macs")


FRONT = front_with({"se": 3.0, "cbam": 6.0, "non_local": 7.0, "gct": 1.0})


def test_the_recommended_row_comes_first_then_what_the_front_would_miss_most() -> None:
    found = finalists(FRONT, CONFIG, 4)
    rows = [one for one in FRONT.rows if not one.architecture.is_plain]
    assert {one.digest for one in found} <= {one.digest for one in rows}
    assert found[0] == recommended(FRONT)
    assert finalists(FRONT, CONFIG, 1) == found[:1]
    assert len(finalists(FRONT, CONFIG, 20)) == len(rows)


def test_a_front_of_plain_alone_has_nothing_to_confirm() -> None:
    with pytest.raises(Refusal, match="nothing beside the plain network"):
        finalists(front_with({"se": -3.0}), CONFIG, 4)


def plan(
    top: int = 2, seeds: int = 3, config: StudyConfig = CONFIG
) -> list[tuple[str, int, Architecture]]:
    found = confirmation_of(FRONT, config, Question(top, seeds))
    return [(one.role, len(one.seeds), one.architecture) for one in found.arms]


def test_controls_are_plain_with_three_times_the_seeds_a_uniform_one_a_random_one_and_depth() -> (
    None
):
    found = plan()
    assert [(role, seeds) for role, seeds, _ in found] == [
        ("plain", 9),
        ("finalist", 3),
        ("finalist", 3),
        ("uniform", 3),
        ("random", 3),
        ("deeper", 3),
    ]
    named = {role: one for role, _, one in found}
    assert named["plain"] == PLAIN
    assert named["deeper"] == plain("resnet14")
    assert len({digest(one) for _, _, one in found}) == len(found)


def test_the_best_uniform_placement_is_the_best_that_is_no_finalist() -> None:
    ((first,),) = [[one for role, _, one in plan(top=1) if role == "finalist"]]
    ((uniform,),) = [[one for role, _, one in plan(top=1) if role == "uniform"]]
    tried = [one for one in FRONT.points if one.architecture not in (first, PLAIN)]
    assert uniform == max(tried, key=lambda one: one.estimate.accuracy).architecture


def test_the_random_control_costs_about_what_the_first_finalist_does() -> None:
    found = confirmation_of(FRONT, CONFIG, Question(1, 2)).arms
    (drawn,) = [one.architecture for one in found if one.role == "random"]
    least = cost(PLAIN).macs
    places = [cost_axis(cost(one).macs, least) for one in (drawn, found[1].architecture)]
    assert abs(places[0] - places[1]) < 0.05


def test_no_two_networks_share_a_seed_and_none_is_the_studys() -> None:
    found = confirmation_of(FRONT, CONFIG, Question(2, 5))
    seeds = [seed for one in found.arms for seed in one.seeds]
    assert len(set(seeds)) == len(seeds)
    assert set(found.fresh_seeds).isdisjoint(seeds)
    assert len(found.fresh_seeds) == 5


def test_more_seeds_keep_the_ones_that_are_trained() -> None:
    few, many = (confirmation_of(FRONT, CONFIG, Question(2, n)) for n in (3, 5))
    for one, other in zip(few.arms, many.arms, strict=True):
        assert other.seeds[: len(one.seeds)] == one.seeds


def test_it_trains_three_times_as_long_on_the_validation_images_too() -> None:
    found = confirm_protocol(CONFIG.protocol, Question(2, 3))
    assert (found.epochs, found.train_images) == (12, 2_000)
    asked = confirm_protocol(CONFIG.protocol, Question(2, 3, epochs=5, num_images=1_500))
    assert (asked.epochs, asked.train_images) == (5, 500)
    whole = confirmation_of(FRONT, CONFIG, Question(2, 3, num_images=1_500))
    assert whole.num_images == 1_500


@pytest.mark.parametrize("images", [0, 1_009, 4_001])
def test_images_out_of_range_are_refused(images: int) -> None:
    with pytest.raises(Refusal, match="--train-images must be 1010 to 4000"):
        confirm_protocol(CONFIG.protocol, Question(2, 3, num_images=images))


def test_no_epochs_are_refused() -> None:
    with pytest.raises(Refusal, match="--epochs must be at least 1, got 0"):
        confirm_protocol(CONFIG.protocol, Question(2, 3, epochs=0))


def test_controls_stay_within_the_budget() -> None:
    least = cost(PLAIN).macs
    config = CONFIG.model_copy(update={"max_macs": least + 1})
    arms = confirmation_of(FRONT, config, Question(1, 2)).arms
    (drawn,) = [one.architecture for one in arms if one.role == "random"]
    assert cost(drawn).macs <= least + 1


def test_an_unknown_noise_still_has_finalists() -> None:
    unknown = front_of([trained(0, PLAIN, 0.5), trained(1, USUAL["se"], 0.6)], "resnet8", "macs")
    assert unknown.noise is None
    plan = confirmation_of(unknown, CONFIG, Question(2, 2))
    claim = next(one.claim for one in plan.arms if one.role == "finalist")
    assert claim is not None
    assert claim.standard_error is None
