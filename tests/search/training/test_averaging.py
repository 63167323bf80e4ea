import pytest
import torch
from torch import nn

from search.training.averaging import Averaged


def followed(share: float, values: list[float]) -> float:
    """Return the mean of a weight that takes these values in turn, starting from 100."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 100.0)
    averaged = Averaged(model, share)
    for value in values:
        with torch.no_grad():
            model.weight.fill_(value)
        averaged.follow()
    (mean,) = averaged.model.parameters()
    return mean.item()


def test_a_share_of_one_is_the_plain_mean_of_all_steps() -> None:
    assert followed(1.0, [1.0, 2.0, 6.0]) == pytest.approx(3.0)


def test_the_first_weights_are_forgotten() -> None:
    assert followed(0.1, [5.0]) == 5.0


def test_it_is_shamir_and_zhangs_mean() -> None:
    """Of step t of them the weight is 1 / (share · t), at most 1."""
    expected = 0.0
    values = [float(one) for one in range(1, 31)]
    for step, value in enumerate(values, start=1):
        weight = min(1.0, 1 / (0.2 * step))
        expected += weight * (value - expected)
    assert followed(0.2, values) == pytest.approx(expected, rel=1e-5)
    assert 0.7 * 30 < expected < 30  # about the last fifth


def test_the_norms_statistics_are_averaged_and_their_counter_is_not() -> None:
    model = nn.BatchNorm1d(1)
    averaged = Averaged(model, 1.0)
    numbers = dict(model.named_buffers())
    for value in (1.0, 3.0):
        numbers["running_mean"].fill_(value)
        numbers["num_batches_tracked"].add_(1)
        averaged.follow()
    means = dict(averaged.model.named_buffers())
    assert means["running_mean"].item() == pytest.approx(2.0)
    assert means["num_batches_tracked"].item() == 0


def test_the_mean_is_given_back_and_the_network_is_another_object() -> None:
    model = nn.Linear(1, 1, bias=False)
    averaged = Averaged(model, 1.0)
    for value in (1.0, 3.0):
        with torch.no_grad():
            model.weight.fill_(value)
        averaged.follow()
    assert model.weight.item() == 3.0
    averaged.give_back(model)
    assert model.weight.item() == pytest.approx(2.0)
