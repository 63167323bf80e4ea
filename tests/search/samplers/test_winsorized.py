from collections.abc import Callable
from dataclasses import replace

import pytest

from search.samplers.winsorized import FAR, accuracies_of, winsorized
from space import SearchSpace, baselines, digest, plain
from studies import Evaluation
from studies.estimates.posterior import Forecast, pooled_noise

MakeEvaluation = Callable[..., Evaluation]
PLAIN = plain("resnet8")
SE, ECA, *_ = baselines(SearchSpace(backbone="resnet8", kinds=("se", "eca"))).values()


@pytest.fixture
def known(make_evaluation: MakeEvaluation) -> list[Evaluation]:
    """Return plain at 0.59 and 0.61, SE far below it at 0.3 and 0.32, and ECA above it."""
    runs = [(PLAIN, 0.59), (PLAIN, 0.61), (SE, 0.30), (SE, 0.32), (ECA, 0.62)]
    return [
        make_evaluation(one, accuracy, id=number + 1)
        for number, (one, accuracy) in enumerate(runs)
    ]


def test_what_is_far_below_plain_is_lifted_with_its_scatter(known: list[Evaluation]) -> None:
    noise = pooled_noise(accuracies_of(known))
    assert noise is not None
    lifted, _ = winsorized(known, None, digest(PLAIN))
    level = 0.6 - FAR * noise.sd
    found = accuracies_of(lifted)
    assert found[digest(SE)] == pytest.approx([level - 0.01, level + 0.01])
    assert found[digest(PLAIN)] == [0.59, 0.61]
    assert found[digest(ECA)] == [0.62]
    assert pooled_noise(found) == pytest.approx(noise)


def test_forecasts_of_stopped_trainings_are_lifted_too(known: list[Evaluation]) -> None:
    forecasts = {7: Forecast(0.2, 0.03), 8: Forecast(0.65, 0.03)}
    _, raised = winsorized(known, forecasts, digest(PLAIN))
    assert raised is not None
    assert raised[7].accuracy > 0.5
    assert raised[7].standard_error == 0.03
    assert raised[8] == forecasts[8]


def test_references_and_what_runs_stay_as_they_are(known: list[Evaluation]) -> None:
    deeper = replace(known[0], purpose="reference", digest="0" * 16, accuracy=0.1)
    running = replace(known[2], state="running", accuracy=None)
    lifted, _ = winsorized([*known, deeper, running], None, digest(PLAIN))
    assert lifted[-2:] == [deeper, running]


@pytest.mark.parametrize("kept", [slice(1, None), slice(2, None), slice(0)])
def test_where_the_noise_or_plain_is_unknown_nothing_changes(
    known: list[Evaluation], kept: slice
) -> None:
    some = [one for one in known[kept] if one is not known[3]]
    assert winsorized(some, None, digest(PLAIN)) == (some, None)


def test_runs_that_agree_to_the_last_image_set_no_level(known: list[Evaluation]) -> None:
    same = [replace(one, accuracy=0.6 if one.digest == digest(PLAIN) else 0.3) for one in known]
    assert winsorized(same, None, digest(PLAIN)) == (same, None)
