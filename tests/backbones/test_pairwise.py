"""Non-local, dual and criss-cross attention against their formulas, in double precision.

Shapes: B images, C channels, H x W positions, N = H·W of them, K keys.
"""

import math

import pytest
import torch
from torch import Tensor, nn

from backbones.attention.criss_cross import CrissCross
from backbones.attention.dual import COSINE_TEMPERATURE, Dual
from backbones.attention.logits import attended, logits
from backbones.attention.non_local import NonLocal
from space.attention.criss_cross import CrissCrossSizes
from space.attention.dual import DualSizes
from space.attention.non_local import FORMS, NonLocalSizes

HEIGHT, WIDTH, CHANNELS, EMBEDDING = 4, 6, 8, 3


def images(height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(2, CHANNELS, height, width, dtype=torch.float64)


def non_local(pairwise: str = "embedded_gaussian", *, sub_sample: bool = False) -> NonLocal:
    torch.manual_seed(1)
    module = NonLocal(CHANNELS, NonLocalSizes(EMBEDDING, pairwise, sub_sample)).double().eval()
    nn.init.constant_(module.norm.weight, 1.5)
    for part in module.children():
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.reset_parameters()
    return module


def dual(branches: str, scores: str = "flipped") -> Dual:
    torch.manual_seed(1)
    module = Dual(CHANNELS, DualSizes(EMBEDDING, branches, scores)).double()
    for name, gain in (("alpha", 0.7), ("beta", -0.4)):
        if hasattr(module, name):
            nn.init.constant_(getattr(module, name), gain)
    return module


def criss_cross(recurrences: int = 1) -> CrissCross:
    torch.manual_seed(1)
    module = CrissCross(CHANNELS, CrissCrossSizes(EMBEDDING, recurrences)).double()
    nn.init.constant_(module.gamma, 0.7)
    return module


def projected(conv: nn.Conv2d, x_BCN: Tensor) -> Tensor:
    """Return W·x + b at every position."""
    assert conv.bias is not None
    return conv.weight.flatten(1) @ x_BCN + conv.bias[:, None]


def near(y: Tensor, expected: Tensor) -> None:
    """Compare with room for the weights, which are computed in single precision."""
    torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-5)


def pairs(module: NonLocal, x_BCN: Tensor, pooled_BCK: Tensor) -> Tensor:
    """Return f of every query and key by the paper's formulas."""
    if module.pairwise == "gaussian":
        powers_BNK = (x_BCN.transpose(1, 2) @ pooled_BCK).exp()
        return powers_BNK / powers_BNK.sum(dim=2, keepdim=True)
    theta_BDN, phi_BDK = projected(module.query, x_BCN), projected(module.key, pooled_BCK)
    num_keys = pooled_BCK.shape[2]
    if module.pairwise == "concatenation":  # a tensor of all pairs, as the paper writes it
        by_query = theta_BDN.transpose(1, 2)[:, :, None].expand(-1, -1, num_keys, -1)
        by_key = phi_BDK.transpose(1, 2)[:, None].expand_as(by_query)
        w_2D = torch.cat((module.score_query.weight[0], module.score_key.weight[0]))
        return (torch.cat((by_query, by_key), dim=-1) @ w_2D).clamp(min=0) / num_keys
    product_BNK = theta_BDN.transpose(1, 2) @ phi_BDK
    if module.pairwise == "dot_product":
        return product_BNK / num_keys
    powers_BNK = (product_BNK / math.sqrt(EMBEDDING)).exp()
    return powers_BNK / powers_BNK.sum(dim=2, keepdim=True)


@pytest.mark.parametrize("pairwise", FORMS)
@pytest.mark.parametrize("sub_sample", [False, True])
def test_non_local_follows_its_formula(pairwise: str, sub_sample: bool) -> None:
    x_BCHW, module = images(), non_local(pairwise, sub_sample=sub_sample)
    x_BCN = x_BCHW.flatten(2)
    pooled_BCK = (nn.MaxPool2d(2)(x_BCHW) if sub_sample else x_BCHW).flatten(2)
    weights_BNK = pairs(module, x_BCN, pooled_BCK)
    near(module.weights(x_BCHW, module.pooled(x_BCHW)).double(), weights_BNK)
    y_BDN = projected(module.value, pooled_BCK) @ weights_BNK.transpose(1, 2)
    z_BCN = x_BCN + 1.5 * projected(module.out, y_BDN) / math.sqrt(1 + 1e-5)
    near(module(x_BCHW).flatten(2), z_BCN)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (5, 7), (2, 3)])
def test_sub_sampling_leaves_a_quarter_of_the_keys_and_every_query(
    height: int, width: int
) -> None:
    x_BCHW, module = images(height, width), non_local(sub_sample=True)
    weights_BNK = module.weights(x_BCHW, module.pooled(x_BCHW))
    assert weights_BNK.shape == (2, height * width, (height // 2) * (width // 2))
    assert module(x_BCHW).shape == x_BCHW.shape


@pytest.mark.parametrize(
    "module",
    [
        *(non_local(pairwise) for pairwise in FORMS),
        dual("position"),
        *(dual("channel", scores) for scores in ("flipped", "scaled", "cosine")),
        dual("both"),
    ],
    ids=lambda module: type(module).__name__,
)
def test_moving_the_positions_moves_the_result_alike(module: nn.Module) -> None:
    x_BCHW = images()
    order = torch.randperm(HEIGHT * WIDTH)
    moved_BCHW = x_BCHW.flatten(2)[:, :, order].reshape(x_BCHW.shape)
    near(module(moved_BCHW).flatten(2), module(x_BCHW).flatten(2)[:, :, order])


def channel_weights(x_BCN: Tensor, scores: str) -> Tensor:
    energy_BCC = x_BCN @ x_BCN.transpose(1, 2)
    if scores == "flipped":
        return (energy_BCC.amax(dim=2, keepdim=True) - energy_BCC).softmax(dim=2)
    if scores == "scaled":
        return (energy_BCC / x_BCN.shape[2]).softmax(dim=2)
    length_BC = energy_BCC.diagonal(dim1=1, dim2=2).sqrt()
    cosine_BCC = energy_BCC / (length_BC[:, :, None] * length_BC[:, None, :])
    return (cosine_BCC / COSINE_TEMPERATURE).softmax(dim=2)


@pytest.mark.parametrize("branches", ["position", "channel", "both"])
@pytest.mark.parametrize("scores", ["flipped", "scaled", "cosine"])
def test_dual_follows_its_formula(branches: str, scores: str) -> None:
    x_BCHW, module = images(), dual(branches, scores)
    x_BCN = x_BCHW.flatten(2)
    y_BCN = x_BCN
    if branches != "channel":
        position = module.position
        query, key = projected(position.query, x_BCN), projected(position.key, x_BCN)
        weights_BNN = (query.transpose(1, 2) @ key).softmax(dim=2)
        y_BCN = y_BCN + 0.7 * projected(position.value, x_BCN) @ weights_BNN.transpose(1, 2)
    if branches != "position":
        y_BCN = y_BCN - 0.4 * channel_weights(x_BCN, scores) @ x_BCN
    near(module(x_BCHW).flatten(2), y_BCN)


@pytest.mark.parametrize("scores", ["scaled", "cosine"])
def test_channels_of_a_large_map_attend_to_more_than_themselves(scores: str) -> None:
    """On 32x32 positions softmax(X·Xᵀ) is the identity matrix: the branch would mix nothing."""
    torch.manual_seed(0)
    x_BCHW = torch.randn(2, 64, 32, 32).relu()
    weights_BCC = dual("channel", scores).channel.weights(x_BCHW)
    plain_BCC = logits(x_BCHW.flatten(2), x_BCHW.flatten(2).transpose(1, 2)).softmax(dim=2)
    assert plain_BCC.diagonal(dim1=1, dim2=2).min() > 0.99
    assert weights_BCC.diagonal(dim1=1, dim2=2).mean() < 0.9


def cross(module: CrissCross, x_CHW: Tensor, row: int, column: int) -> Tensor:
    """Return what one position takes, by a loop over its cross."""
    height, width = x_CHW.shape[1:]
    along = [(i, column) for i in range(height) if i != row]
    along += [(row, j) for j in range(width)]

    def at(conv: nn.Conv2d, i: int, j: int) -> Tensor:
        return projected(conv, x_CHW[None, :, i, j, None])[0, :, 0]

    query_D = at(module.query, row, column)
    powers = [(query_D @ at(module.key, i, j)).exp().item() for i, j in along]
    values = [at(module.value, i, j) for i, j in along]
    taken = [power / sum(powers) * v_C for power, v_C in zip(powers, values, strict=True)]
    return torch.stack(taken).sum(dim=0)


@pytest.mark.parametrize(("height", "width"), [(4, 6), (5, 3), (1, 4), (3, 1), (1, 1)])
@pytest.mark.parametrize("recurrences", [1, 2])
def test_criss_cross_is_a_loop_over_columns_and_rows(
    height: int, width: int, recurrences: int
) -> None:
    x_BCHW, module = images(height, width), criss_cross(recurrences)
    y_CHW = x_BCHW[1]
    for _ in range(recurrences):
        taken_CHW = torch.stack(
            [
                torch.stack([cross(module, y_CHW, i, j) for j in range(width)], dim=1)
                for i in range(height)
            ],
            dim=1,
        )
        y_CHW = y_CHW + 0.7 * taken_CHW
    near(module(x_BCHW)[1], y_CHW)


@pytest.mark.parametrize(("height", "width"), [(4, 6), (5, 3), (1, 1)])
def test_criss_cross_weighs_each_position_of_its_cross_once(height: int, width: int) -> None:
    weights_BHWS = criss_cross().weights(images(height, width))
    torch.testing.assert_close(weights_BHWS.sum(dim=-1), torch.ones(2, height, width))
    assert ((weights_BHWS > 0).sum(dim=-1) == height + width - 1).all()


def test_two_recurrences_reach_the_whole_map_and_one_does_not() -> None:
    for recurrences, whole in ((1, False), (2, True)):
        x_BCHW = images().requires_grad_()
        y_BCHW = criss_cross(recurrences)(x_BCHW)
        (gradient_BCHW,) = torch.autograd.grad(y_BCHW[0, :, 0, 0].sum(), x_BCHW)
        assert bool((gradient_BCHW[0].abs().sum(dim=0) > 0).all()) == whole


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("width", [3, 8])
def test_fused_attention_is_the_plain_formula(precision: torch.dtype, width: int) -> None:
    """With values as wide as the keys a fused kernel serves; with others torch's plain form."""
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 24, size, requires_grad=True) for size in (3, 3, width))
    bias = torch.randn(2, 24, 24)
    for scale, added in ((1.0, None), (0.5, None), (1.0, bias)):
        weights = (scale * query @ key.transpose(1, 2) + (0 if added is None else added)).softmax(
            2
        )
        expected = weights @ value
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            found = attended(query, key, value, scale=scale, bias_QK=added)
        assert found.dtype == precision
        rounding = 1e-5 if precision == torch.float32 else 0.03
        torch.testing.assert_close(found.float(), expected, rtol=rounding, atol=rounding)
        gradients = [
            torch.autograd.grad(one.float().square().sum(), (query, key, value), retain_graph=True)
            for one in (found, expected)
        ]
        for fused, plain in zip(*gradients, strict=True):
            torch.testing.assert_close(fused, plain, rtol=5 * rounding, atol=5 * rounding)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_non_local_keeps_no_map_in_either_layout(layout: torch.memory_format) -> None:
    """torch silently takes its plain form where a row of queries is not in one piece."""
    module = non_local().float().to(memory_format=layout)
    x_BCHW = images().float().contiguous(memory_format=layout).requires_grad_()
    found = module(x_BCHW).grad_fn
    waiting, names = [found], set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in names:
            names.add(node)
            waiting += [one for one, _ in node.next_functions]
    assert any("FlashAttention" in node.name() for node in names)


def test_logits_are_in_single_precision_under_autocast() -> None:
    query, key = torch.full((1, 1, 3), 100.1), torch.full((1, 3, 1), 100.3)
    with torch.autocast("cpu", torch.bfloat16):
        found = logits(query, key)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(3 * 100.1 * 100.3, rel=1e-6)
