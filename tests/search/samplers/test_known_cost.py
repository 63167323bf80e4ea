from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from search.samplers.belief import MAX_NETWORKS, believed
from search.samplers.catalogue import Catalogue
from search.samplers.known_cost import _soon_known, choose, propose
from search.samplers.objective import Objective, objective_of
from space import Architecture, SearchSpace, baselines, cost, cost_axis, digest, plain
from studies import Evaluation, front_of
from studies.estimates.encoding import encoded
from studies.estimates.posterior import Forecast
from studies.hypervolume import hypervolume, staircase

MakeEvaluation = Callable[..., Evaluation]
SPACE = SearchSpace(backbone="resnet8")
PLAIN, USUAL = plain("resnet8"), baselines(SPACE)
OBJECTIVE = objective_of(SPACE, "macs", {})


@pytest.fixture
def started(make_evaluation: MakeEvaluation) -> list[Evaluation]:
    """Return plain three times and the baselines: SE gains two points, the others little."""
    noise = np.random.default_rng(0).normal(0, 0.001, 20)
    plains = [make_evaluation(PLAIN, 0.9 + noise[i], purpose="trial") for i in range(3)]
    usual = [
        make_evaluation(one, 0.9 + 0.02 * (kind == "se") + noise[i])
        for i, (kind, one) in enumerate(USUAL.items(), start=3)
    ]
    return [*plains, *usual]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_edge_is_beyond_the_dearest_baseline_or_at_the_budget() -> None:
    dearest = max(cost(one).macs for one in USUAL.values())
    least = cost(PLAIN).macs
    assert OBJECTIVE.edge == pytest.approx(cost_axis(1.1 * dearest, least))
    assert objective_of(SPACE, "macs", {"macs": 2 * least}).edge == pytest.approx(2, abs=0.01)


def test_nothing_tried_is_proposed_again(started: list[Evaluation]) -> None:
    tried = {one.digest for one in started}
    for seed in range(5):
        assert digest(propose(started, SPACE, OBJECTIVE, rng(seed))) not in tried


def test_the_same_draws_give_the_same_proposal(started: list[Evaluation]) -> None:
    assert propose(started, SPACE, OBJECTIVE, rng(3)) == propose(started, SPACE, OBJECTIVE, rng(3))


def test_what_is_proposed_keeps_every_limit(started: list[Evaluation]) -> None:
    least = cost(PLAIN)
    limits = {"macs": int(1.001 * least.macs), "params": int(1.01 * least.params)}
    for seed in range(5):
        found = cost(propose(started, SPACE, objective_of(SPACE, "macs", limits), rng(seed)))
        assert found.macs <= limits["macs"]
        assert found.params <= limits["params"]


def test_where_no_placement_fits_a_replicate_is_trained(started: list[Evaluation]) -> None:
    only_gam = SearchSpace(backbone="resnet8", kinds=("gam",))
    limits = {"params": cost(PLAIN).params}
    tried = {one.digest for one in started}
    assert digest(propose(started, only_gam, Objective("macs", 1.0, limits), rng())) in tried
    assert propose(started[:1], only_gam, Objective("macs", 1.0, limits), rng()) == PLAIN


@pytest.mark.parametrize(("kinds", "share"), [(("se", "eca"), None), (("non_local",), 1.01)])
def test_all_that_fits_is_tried_before_anything_again(
    kinds: tuple[str, ...], share: float | None, make_evaluation: MakeEvaluation
) -> None:
    space = SearchSpace(backbone="resnet8", kinds=kinds)
    least = cost(PLAIN).macs
    limits = {} if share is None else {"macs": int(share * least)}
    catalogue = Catalogue(space)
    rows = np.stack(np.meshgrid(*map(np.arange, catalogue.sizes)), axis=-1).reshape(-1, 3)
    affordable = int((catalogue.costs(rows)["macs"] <= limits.get("macs", 10**12)).sum())
    known = [make_evaluation(PLAIN, 0.9 + 0.001 * number) for number in range(3)]
    for number in range(min(25, affordable - 1)):
        found = propose(known, space, objective_of(space, "macs", limits), rng(number))
        assert digest(found) not in {one.digest for one in known}
        assert cost(found).macs <= limits.get("macs", cost(found).macs)
        known.append(make_evaluation(found, 0.9 + 0.001 * (number % 7)))


def test_without_replicates_a_random_architecture_is_proposed(
    make_evaluation: MakeEvaluation,
) -> None:
    once = [make_evaluation(PLAIN, 0.9), make_evaluation(USUAL["se"], 0.91)]
    found = {digest(propose(once, SPACE, OBJECTIVE, rng(seed))) for seed in range(4)}
    assert len(found) == 4
    assert propose([], SPACE, OBJECTIVE, rng()) is not None


def test_the_mechanism_that_gains_is_proposed_again_elsewhere(started: list[Evaluation]) -> None:
    proposals = [propose(started, SPACE, OBJECTIVE, rng(seed)) for seed in range(6)]
    kinds = [{p.attention.kind for stage in one.stages for p in stage} for one in proposals]
    assert sum("se" in one for one in kinds) >= 5


def test_choose_takes_the_cheaper_of_two_that_are_as_promising(
    started: list[Evaluation],
) -> None:
    """Two networks of a mechanism about which nothing is known: the prices alone decide."""
    stages = SPACE.stages
    pairs = [p for p in stages[2].placements if p.attention.kind == "gam"]
    dear = max(pairs, key=lambda one: stages[2].cost(one).macs)
    cheap = min(pairs, key=lambda one: stages[2].cost(one).macs)
    known = [one for one in started if one.digest != digest(USUAL["gam"])]
    networks = [SPACE.architecture((None, None, one)) for one in (dear, cheap)]
    assert choose(known, networks, OBJECTIVE, rng()) == networks[1]


def test_choose_ends_when_all_were_tried(started: list[Evaluation]) -> None:
    assert choose(started, [PLAIN, USUAL["se"]], OBJECTIVE, rng()) is None


def test_a_running_training_counts_at_its_predicted_value(
    started: list[Evaluation], make_evaluation: MakeEvaluation
) -> None:
    first = propose(started, SPACE, OBJECTIVE, rng())
    running = replace(make_evaluation(first, 0.0), state="running", accuracy=None, correct=None)
    before = believed(started, "resnet8", "macs", rng())
    after = believed([*started, running], "resnet8", "macs", rng())
    assert before.posterior is not None
    assert after.posterior is not None
    assert digest(propose([*started, running], SPACE, OBJECTIVE, rng())) != running.digest
    gain = float(before.posterior.of(encoded([first]), [running.digest]).gain[0])
    place = cost_axis(cost(first).macs, cost(PLAIN).macs)
    assert list(after.steps) == staircase([*before.steps[1:], (place, gain)])
    itself = encoded([first])
    with_running = after.posterior.covariance(itself, after.running)
    soon, own = _soon_known(after, with_running), before.posterior.covariance(itself, itself)
    assert 0.3 * own[0, 0] < soon[0] < own[0, 0]  # a run's noise is left


def test_a_stopped_training_warns_of_its_likes(
    started: list[Evaluation], make_evaluation: MakeEvaluation
) -> None:
    stage = SPACE.stages[0]
    networks = [
        SPACE.architecture((one, None, None))
        for one in stage.placements
        if one.attention.kind == "eca"
    ]
    stopped = replace(make_evaluation(networks[0], 0.0), state="stopped", accuracy=None)
    forecasts = {stopped.id: Forecast(0.85, 0.002)}
    other, name = encoded([networks[1]]), [digest(networks[1])]
    without = believed(started, "resnet8", "macs", rng()).posterior
    with_it = believed([*started, stopped], "resnet8", "macs", rng(), forecasts).posterior
    assert without is not None
    assert with_it is not None
    assert with_it.of(other, name).mean[0] < without.of(other, name).mean[0]


def test_it_wins_more_area_than_drawing_at_random(make_evaluation: MakeEvaluation) -> None:
    """On made-up truths: what each mechanism is worth in each stage, added up."""

    def won(
        seed: int, draw: Callable[[list[Evaluation], np.random.Generator], Architecture]
    ) -> float:
        worth, noise = rng(seed).normal(0, 0.006, (len(SPACE.kinds), 3)), rng(seed + 100)

        def truth(network: Architecture) -> float:
            placed = [
                (stage[0].attention.kind, s) for s, stage in enumerate(network.stages) if stage
            ]
            return 0.9 + sum(float(worth[SPACE.kinds.index(kind), s]) for kind, s in placed)

        known: list[Evaluation] = []
        for turn in range(len(start) + 10):
            network = start[turn] if turn < len(start) else draw(known, noise)
            known.append(make_evaluation(network, truth(network) + noise.normal(0, 0.002)))
        front = front_of(known, "resnet8", "macs")
        base = front.plain_cost.macs
        rows = [(cost_axis(r.cost.macs, base), truth(r.architecture) - 0.9) for r in front.rows]
        return hypervolume(rows, OBJECTIVE.edge)

    catalogue, start = Catalogue(SPACE), [PLAIN] * 3 + list(USUAL.values())
    random = sum(
        won(s, lambda _, g: catalogue.architecture(catalogue.random(1, g)[0])) for s in range(4)
    )
    ours = sum(won(s, lambda known, g: propose(known, SPACE, OBJECTIVE, g)) for s in range(4))
    assert ours > 1.2 * random


def test_a_study_of_any_size_is_learned_from(make_evaluation: MakeEvaluation) -> None:
    catalogue, generator = Catalogue(SPACE), rng(8)
    rows = catalogue.random(MAX_NETWORKS + 50, generator)
    known = [
        make_evaluation(catalogue.architecture(row), generator.normal(0.9, 0.01)) for row in rows
    ]
    known += [make_evaluation(PLAIN, value) for value in (0.9, 0.901, 0.899)]
    belief = believed(known, "resnet8", "macs", generator)
    assert belief.posterior is not None
    assert len(belief.posterior.keys) <= MAX_NETWORKS
    assert digest(PLAIN) in belief.posterior.keys  # replicated networks stay
    best = max(known, key=lambda one: one.accuracy or 0.0)
    assert best.digest in belief.posterior.keys  # and what is on the raw front
