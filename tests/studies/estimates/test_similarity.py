import numpy as np
import pytest
from numpy.typing import NDArray

from space import (
    Architecture,
    Placement,
    SearchSpace,
    baselines,
    cost,
    cost_axis,
    digest,
    plain,
    random_architecture,
)
from studies.estimates.encoding import encoded
from studies.estimates.similarity import MIXTURES, correlations, similarities

Array = NDArray[np.float64]
SPACE = SearchSpace(backbone="resnet20")
USUAL = baselines(SPACE)


def with_stages(*placements: Placement | None) -> Architecture:
    return SPACE.architecture(placements)


def se(reduction: int = 16, position: str = "residual") -> Placement:
    data = {"attention": {"kind": "se", "reduction": reduction}, "position": position}
    return Placement.model_validate(data)


@pytest.fixture(scope="module")
def drawn() -> list[Architecture]:
    from random import Random

    generator = Random(0)
    return [random_architecture(generator, SPACE) for _ in range(60)]


def test_every_network_is_wholly_like_itself(drawn: list[Architecture]) -> None:
    numbers = encoded(drawn)
    for view in similarities(numbers, numbers):
        assert np.diag(view) == pytest.approx(1)
        assert view == pytest.approx(view.T)
        assert 0 <= view.min() <= view.max() <= 1 + 1e-12


def test_each_pair_is_compared_as_if_it_were_alone(drawn: list[Architecture]) -> None:
    first, second = drawn[:12] + drawn[:3], [*drawn[8:14], USUAL["se"], plain("resnet20")]
    found = np.stack(similarities(encoded(first), encoded(second)))
    alone = [[similarities(encoded([one]), encoded([two])) for two in second] for one in first]
    assert found == pytest.approx(np.array(alone)[..., 0, 0].transpose(2, 0, 1))


def test_every_mixture_is_a_valid_covariance(drawn: list[Architecture]) -> None:
    numbers = encoded(drawn)
    for one in correlations(numbers, numbers, np.eye(len(drawn))):
        assert np.linalg.eigvalsh(one).min() > -1e-9
        assert np.diag(one) == pytest.approx(1)


def test_the_weights_of_each_mixture_sum_to_one() -> None:
    assert np.array(MIXTURES).sum(axis=1) == pytest.approx(1)


def by_stage(first: Architecture, second: Architecture) -> float:
    return float(similarities(encoded([first]), encoded([second]))[0][0, 0])


def test_by_stage_counts_the_stages_with_the_same_in_them() -> None:
    gate, nothing = se(), None
    assert by_stage(with_stages(gate, gate, nothing), with_stages(gate, nothing, nothing)) == (
        pytest.approx(2 / 3)
    )
    gam = USUAL["gam"].stages[0][0]
    assert by_stage(with_stages(gate, gate, gate), with_stages(gam, gam, gam)) == 0


def test_other_settings_and_places_are_less_alike_the_farther_they_are() -> None:
    def like(other: Placement) -> float:
        return by_stage(with_stages(None, None, se(4)), with_stages(None, None, other))

    assert 1 == like(se(4)) > like(se(8)) > like(se(16)) > like(se(16, "pre")) > 2 / 3


def test_by_mechanism_the_stage_does_not_matter() -> None:
    first, second = with_stages(se(), None, None), with_stages(None, None, se())
    by_stage, by_mechanism, whole, *_ = similarities(encoded([first]), encoded([second]))
    assert by_mechanism[0, 0] == pytest.approx(1)
    assert by_stage[0, 0] == pytest.approx(1 / 3)
    assert 0 < whole[0, 0] < 1


def by_place(first: Architecture, second: Architecture) -> float:
    return float(similarities(encoded([first]), encoded([second]))[3][0, 0])


def test_by_place_the_mechanism_does_not_matter() -> None:
    gate, moved = USUAL["eca"].stages[2][0], se(16, "pre")
    assert by_place(with_stages(None, None, se()), with_stages(None, None, gate)) == 1
    other = by_place(with_stages(None, None, se()), with_stages(None, None, moved))
    nothing = by_place(with_stages(None, None, se()), with_stages(None, None, None))
    assert 1 > other > nothing == pytest.approx(2 / 3)


def test_by_cost_what_costs_nothing_is_like_nothing() -> None:
    def like(kind: str) -> float:
        found = similarities(encoded([plain("resnet20")]), encoded([USUAL[kind]]))[4]
        return float(found[0, 0])

    assert 1 == like("simam") > like("se") > like("gam")


def test_costs_of_the_stages_are_on_the_cost_axis() -> None:
    placed, base = with_stages(None, None, se(4)), cost(plain("resnet20"))
    macs, params = encoded([placed]).costs_NS2[0, 2]
    assert macs == pytest.approx(cost_axis(cost(placed).macs, base.macs))
    assert params == pytest.approx(cost_axis(cost(placed).params, base.params))
    assert (encoded([placed]).costs_NS2[0, :2] == 0).all()


def test_two_usual_networks_are_encoded_apart() -> None:
    rows = {
        (one.kinds_NS.tobytes(), one.settings_NSH.tobytes())
        for one in (encoded([network]) for network in USUAL.values())
    }
    assert len(rows) == len({digest(one) for one in USUAL.values()})
