"""What a swap changes, beside what the posterior says of the two networks it joins."""

import numpy as np
import pytest

from space import SearchSpace, digest, plain
from studies.effects.swaps import Swap, swapped
from studies.estimates.encoding import encoded
from studies.estimates.posterior import Posterior
from studies.front import front_of
from tests.studies.planted import drawn, factorial, planted

NETWORKS = factorial()
PLAIN = plain("resnet8")


@pytest.fixture(scope="module")
def posterior() -> Posterior:
    """Return that of all 27 networks, plain three times."""
    worth = {(3, "se"): 0.01, (1, "simam"): -0.01}
    found = front_of(planted([PLAIN, PLAIN, *NETWORKS], worth, noise=0.003), "resnet8", "macs")
    assert found.posterior is not None
    return found.posterior


def place(posterior: Posterior, number: int) -> int:
    """Return where a network of the factorial stands among the observed."""
    return posterior.keys.index(digest(NETWORKS[number]))


def test_from_plain_it_is_the_gain_of_the_network_it_leads_to(posterior: Posterior) -> None:
    se, simam = place(posterior, 1), place(posterior, 2)  # both in stage 3 only
    found = swapped(posterior, [posterior.reference], [Swap(2, (se,)), Swap(2, (simam,))])
    known = posterior.observed()
    for i, network in enumerate((se, simam)):
        assert found.mean[i] == pytest.approx(known.gain[network])
        assert found.covariance[i, i] == pytest.approx(known.gain_variance[network])
        assert found.above[i] == pytest.approx(known.better[network])


def test_in_another_context_it_is_the_gain_over_the_one_without(posterior: Posterior) -> None:
    se_first, se_both = place(posterior, 9), place(posterior, 10)  # se in 1; se in 1 and 3
    found = swapped(posterior, [se_both], [Swap(2, (place(posterior, 1),))])
    known = posterior.observed(se_first)
    assert found.mean[0] == pytest.approx(known.gain[se_both])
    assert found.covariance[0, 0] == pytest.approx(known.gain_variance[se_both])


def test_over_contexts_it_is_the_mean(posterior: Posterior) -> None:
    contexts = [place(posterior, number) for number in (0, 4, 13, 22)]
    swap = Swap(1, (place(posterior, 3),))
    alone = [swapped(posterior, [one], [swap]).mean[0] for one in contexts]
    assert swapped(posterior, contexts, [swap]).mean[0] == pytest.approx(np.mean(alone))


def test_donors_take_turns(posterior: Posterior) -> None:
    contexts = [place(posterior, number) for number in (0, 4, 13)]
    donors = place(posterior, 3), place(posterior, 6)
    taken = [
        swapped(posterior, [one], [Swap(1, (donors[i % 2],))]) for i, one in enumerate(contexts)
    ]
    found = swapped(posterior, contexts, [Swap(1, donors)])
    assert found.mean[0] == pytest.approx(np.mean([one.mean[0] for one in taken]))


def test_swaps_asked_about_together_are_what_they_are_alone(posterior: Posterior) -> None:
    contexts = [place(posterior, number) for number in (0, 4, 13)]
    swaps = [Swap(0, (place(posterior, 9),)), Swap(2, (place(posterior, 1),))]
    both = swapped(posterior, contexts, swaps)
    for i, one in enumerate(swaps):
        alone = swapped(posterior, contexts, [one])
        assert both.mean[i] == pytest.approx(alone.mean[0])
        assert both.low[i] == pytest.approx(alone.low[0])


def test_a_network_nobody_trained_is_known_by_its_likeness() -> None:
    """The same stages put together anew: asked through the architectures themselves."""
    space = SearchSpace(backbone="resnet8", kinds=("se", "simam", "gct"))
    front = front_of(
        planted(drawn(20, space, 1), {(2, "se"): 0.01}, noise=0.003), "resnet8", "macs"
    )
    posterior = front.posterior
    assert posterior is not None
    first, second = front.points[3], front.points[4]
    stages = (*first.architecture.stages[:2], second.architecture.stages[2])
    made = space.architecture(tuple(one[0] if one else None for one in stages))
    context, donor = (posterior.keys.index(one.digest) for one in (first, second))
    found = swapped(posterior, [context], [Swap(2, (donor,))])
    bare = space.architecture((*(one[0] if one else None for one in stages[:2]), None))
    known = posterior.of(encoded([made, bare]), [digest(made), digest(bare)])
    assert found.mean[0] == pytest.approx(known.mean[0] - known.mean[1])
