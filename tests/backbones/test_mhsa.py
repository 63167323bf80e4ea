"""Multi-head self-attention with relative positions against its formula, in double precision.

Shapes: B images, C channels, H x W positions, N = H·W, E heads of width D, O offsets.
"""

import math

import pytest
import torch
from torch import Tensor, nn

from backbones.attention.mhsa import MHSA
from space.attention.mhsa import MHSASizes

HEIGHT, WIDTH, CHANNELS, HEADS = 4, 6, 8, 2


def images(height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(2, CHANNELS, height, width, dtype=torch.float64)


def mhsa(height: int = HEIGHT, width: int = WIDTH, heads: int = HEADS) -> MHSA:
    """Return a module with every parameter drawn anew, the values' included."""
    torch.manual_seed(1)
    module = MHSA(CHANNELS, MHSASizes(heads, CHANNELS // heads, height, width)).double()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    return module


def near(y: Tensor, expected: Tensor) -> None:
    """Compare with room for the weights, which are computed in single precision."""
    torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-5)


def head_weights(query_DHW: Tensor, key_DHW: Tensor, module: MHSA) -> Tensor:
    """Return one head's N x N weights by a loop over pairs of positions."""
    head_width, height, width = query_DHW.shape
    places = [(i, j) for i in range(height) for j in range(width)]
    scores_NN = torch.zeros(len(places), len(places), dtype=torch.float64)
    for row, (i, j) in enumerate(places):
        for column, (k, m) in enumerate(places):
            below_D = module.key_below[k - i + height - 1]
            right_D = module.key_right[m - j + width - 1]
            against_D = key_DHW[:, k, m] + below_D + right_D
            scores_NN[row, column] = query_DHW[:, i, j] @ against_D / math.sqrt(head_width)
    return scores_NN.softmax(dim=1)


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize(("height", "width"), [(4, 6), (5, 3), (1, 4), (3, 1), (1, 1)])
def test_mhsa_is_a_loop_over_heads_and_pairs_of_positions(
    height: int, width: int, heads: int
) -> None:
    x_BCHW, module = images(height, width), mhsa(height, width, heads)
    query, key, value = (
        (conv.weight.flatten(1) @ x_BCHW[1].flatten(1)).reshape(x_BCHW.shape[1:]).chunk(heads)
        for conv in (module.query, module.key, module.value)
    )
    weights = [head_weights(query[e], key[e], module) for e in range(heads)]
    mixed_CN = torch.cat([value[e].flatten(1) @ weights[e].T for e in range(heads)])
    near(module(x_BCHW)[1], x_BCHW[1] + mixed_CN.reshape(x_BCHW.shape[1:]))
    near(module.gates(x_BCHW)["heads"].values[1].double(), torch.stack(weights))


def test_mhsa_refuses_a_map_of_another_size() -> None:
    module = mhsa(4, 6)
    for look in (module, module.gates):
        with pytest.raises(ValueError, match=r"must be 4x6, .* got 6x4"):
            look(images(6, 4))


def test_the_keys_of_offsets_start_at_one_over_the_root_of_their_width() -> None:
    torch.manual_seed(0)
    module = MHSA(256, MHSASizes(4, 64, 8, 16))
    for key_OD, num_offsets in ((module.key_below, 15), (module.key_right, 31)):
        assert key_OD.shape == (num_offsets, 64)
        assert key_OD.std().item() == pytest.approx(1 / 8, rel=0.1)


def test_mhsa_under_autocast_keeps_the_logits_in_single_precision() -> None:
    """The offsets' part of the logits is large here, where bf16 is off by whole units."""
    module = mhsa().float()
    with torch.no_grad():
        module.key_below.mul_(100)
        x_BCHW = images().float()
        with torch.autocast("cpu", torch.bfloat16):
            weights_BENN = module.weights(x_BCHW)
            value_BEND = module.by_head(module.value, x_BCHW)
            mixed_BCHW = module(x_BCHW) - x_BCHW
    expected_BEND = torch.matmul(weights_BENN, value_BEND.float())
    expected_BCHW = expected_BEND.transpose(2, 3).reshape(x_BCHW.shape)
    torch.testing.assert_close(mixed_BCHW, expected_BCHW, rtol=0.01, atol=0.01)
