import numpy as np
import pytest

from search.samplers.catalogue import Catalogue
from space import SearchSpace, baselines, cost, digest, plain

SPACE = SearchSpace(backbone="resnet8")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(SPACE)


def test_rows_cost_what_their_architectures_cost(catalogue: Catalogue) -> None:
    rows = catalogue.random(40, np.random.default_rng(0))
    costs = catalogue.costs(rows)
    for row, macs, params in zip(rows, costs["macs"], costs["params"], strict=True):
        found = cost(catalogue.architecture(row))
        assert (found.macs, found.params) == (macs, params)


def test_drawn_architectures_are_proposed(catalogue: Catalogue) -> None:
    for row in catalogue.random(40, np.random.default_rng(1)):
        assert SPACE.reason_unproposed(catalogue.architecture(row)) is None


def test_every_mechanism_and_none_are_as_likely_in_a_stage(catalogue: Catalogue) -> None:
    kinds = catalogue.encoded(catalogue.random(8000, np.random.default_rng(2))).kinds_NS
    for stage, column in zip(SPACE.stages, kinds.T, strict=True):
        _, counts = np.unique(column, return_counts=True)
        expected = 8000 / (1 + len(stage.kinds))
        assert len(counts) == 1 + len(stage.kinds)
        assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_neighbours_differ_in_at_most_one_stage(catalogue: Catalogue) -> None:
    (row,) = catalogue.random(1, np.random.default_rng(3))
    found = catalogue.neighbours(row, 50, np.random.default_rng(4))
    changes = (found != row).sum(axis=1)
    assert set(changes) <= {0, 1}
    assert changes.sum() > 40


@pytest.mark.parametrize("kind", baselines(SPACE))
def test_an_architecture_is_found_again_however_it_is_spelled(
    kind: str, catalogue: Catalogue
) -> None:
    wanted = baselines(SPACE)[kind]
    row = catalogue.row(wanted)
    assert row is not None
    assert digest(catalogue.architecture(row)) == digest(wanted)


def test_the_plain_network_is_the_row_of_zeros(catalogue: Catalogue) -> None:
    assert catalogue.row(plain("resnet8")) == (0, 0, 0)
    assert catalogue.architecture((0, 0, 0)).is_plain


def test_what_the_space_lacks_has_no_row() -> None:
    only_se = Catalogue(SearchSpace(backbone="resnet8", kinds=("se",)))
    assert only_se.row(baselines(SPACE)["gam"]) is None
