"""The norm that takes one value alone, beside torch's own."""

import pytest
import torch
from torch import nn

from backbones.attention.norm import BatchNorm


def test_one_value_alone_is_normalised_by_running_statistics_which_stay() -> None:
    norm = BatchNorm(2)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.copy_(torch.tensor([1.0, 2.0]))
    norm.running_var.fill_(4.0 - norm.eps)
    y_BCHW = norm.train()(torch.tensor([3.0, -2.0]).view(1, 2, 1, 1))
    torch.testing.assert_close(y_BCHW.flatten(), torch.tensor([1.0, -2.0]))
    assert torch.equal(norm.running_mean, torch.tensor([1.0, 2.0]))


@pytest.mark.parametrize("size", [(2, 2, 1, 1), (1, 2, 1, 3)])
@pytest.mark.parametrize("training", [True, False])
def test_more_values_are_normalised_as_torch_does(
    size: tuple[int, int, int, int], training: bool
) -> None:
    torch.manual_seed(0)
    norm, plain = BatchNorm(2).train(training), nn.BatchNorm2d(2).train(training)
    x_BCHW = torch.randn(size)
    assert torch.equal(norm(x_BCHW), plain(x_BCHW))
    assert all(map(torch.equal, norm.buffers(), plain.buffers()))


@pytest.mark.parametrize("size", [(1, 2, 1, 1), (2, 2, 1, 1)])
def test_the_norm_is_one_graph(size: tuple[int, int, int, int]) -> None:
    torch.manual_seed(0)
    torch.compiler.reset()
    norm, x_BCHW = BatchNorm(2).train(), torch.randn(size)
    compiled = torch.compile(norm, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x_BCHW), norm(x_BCHW))
