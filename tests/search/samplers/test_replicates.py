from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from search.samplers import most_decisive, objective_of, replicate_is_due
from space import SearchSpace, baselines, plain
from studies import Evaluation, front_of

MakeEvaluation = Callable[..., Evaluation]
SPACE = SearchSpace(backbone="resnet8")
PLAIN, USUAL = plain("resnet8"), baselines(SPACE)
OBJECTIVE = objective_of(SPACE, "macs", {})


@pytest.mark.parametrize(
    ("num_chosen", "num_replicates", "due"),
    [(7, 0, False), (8, 0, True), (8, 1, True), (8, 2, False), (19, 3, False), (20, 3, True)],
)
def test_replicates_keep_to_their_share(num_chosen: int, num_replicates: int, due: bool) -> None:
    assert replicate_is_due(num_chosen, num_replicates, 0.15) is due


def test_without_a_share_none_is_due() -> None:
    assert not replicate_is_due(100, 0, 0.0)


def test_without_a_known_noise_none_decides(make_evaluation: MakeEvaluation) -> None:
    once = [make_evaluation(PLAIN, 0.9), make_evaluation(USUAL["se"], 0.91)]
    assert most_decisive(front_of(once, "resnet8", "macs"), OBJECTIVE) is None


def study_of(make: MakeEvaluation, accuracies: dict[str, list[float]]) -> list[Evaluation]:
    plains = [make(PLAIN, value) for value in (0.900, 0.902, 0.898, 0.901, 0.899, 0.9)]
    return plains + [make(USUAL[kind], one) for kind, runs in accuracies.items() for one in runs]


def test_the_close_one_that_was_run_once_decides(make_evaluation: MakeEvaluation) -> None:
    """GAM and LKA lie far below; ECA was run often; SE, run once, may or may not beat it."""
    accuracies = {"gam": [0.85], "lka": [0.86], "eca": [0.910, 0.912, 0.911, 0.909], "se": [0.911]}
    front = front_of(study_of(make_evaluation, accuracies), "resnet8", "macs")
    assert most_decisive(front, OBJECTIVE) == USUAL["se"]


def test_a_run_that_goes_on_counts(make_evaluation: MakeEvaluation) -> None:
    known = study_of(make_evaluation, {"eca": [0.910, 0.912], "se": [0.911], "gc": [0.9105]})
    front = front_of(known, "resnet8", "macs")
    first = most_decisive(front, OBJECTIVE)
    assert first is not None
    going_on = [replace(make_evaluation(first, 0.0), state="running") for _ in range(20)]
    assert most_decisive(front, OBJECTIVE, [*known, *going_on]) != first


def test_plain_is_trained_again_where_its_own_error_decides(
    make_evaluation: MakeEvaluation,
) -> None:
    """SE, run twelve times, gains as much as two runs of plain may err."""
    plains = [make_evaluation(PLAIN, value) for value in (0.900, 0.904)]
    runs = 0.9035 + np.random.default_rng(1).normal(0, 0.002, 12)
    known = plains + [make_evaluation(USUAL["se"], float(one)) for one in runs]
    assert most_decisive(front_of(known, "resnet8", "macs"), OBJECTIVE) == PLAIN


def test_what_lies_beyond_the_edge_decides_nothing(make_evaluation: MakeEvaluation) -> None:
    front = front_of(study_of(make_evaluation, {"gam": [0.95], "se": [0.90]}), "resnet8", "macs")
    cheap = objective_of(SPACE, "macs", {"macs": int(1.01 * front.plain_cost.macs)})
    assert most_decisive(front, cheap) != USUAL["gam"]


def test_replicates_go_to_several_networks(make_evaluation: MakeEvaluation) -> None:
    """Where one was run again, its error falls and another decides."""
    generator = np.random.default_rng(0)
    runs = {kind: [0.905 + generator.normal(0, 0.001)] for kind in ("se", "eca", "gc", "coord")}
    known = study_of(make_evaluation, runs)
    chosen = set()
    for _ in range(8):
        found = most_decisive(front_of(known, "resnet8", "macs"), OBJECTIVE)
        assert found is not None
        chosen.add(found.to_json())
        known.append(make_evaluation(found, 0.905 + generator.normal(0, 0.001)))
    assert len(chosen) >= 3
