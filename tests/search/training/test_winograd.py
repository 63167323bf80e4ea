from collections.abc import Iterator
from copy import deepcopy
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from backbones import build
from search.training import winograd as module
from search.training.convolutions import is_worth_winograd, wide_convolutions
from search.training.winograd import winograd
from search.training.winograd_steps import transforms
from space import plain

pytestmark = pytest.mark.usefixtures("one_thread")
direct = partial(functional.conv2d, padding=1)
wide_conv = partial(nn.Conv2d, 64, 64, 3, padding=1, bias=False)


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def drawn(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, dtype=dtype).to(memory_format=torch.channels_last)


def changed(model: nn.Module) -> list[str]:
    """Return the names of the modules whose `forward` is not their class's."""
    return [name for name, one in model.named_modules() if "forward" in vars(one)]


def test_the_papers_matrices_give_the_correlation_of_one_tile() -> None:
    tile_II, filter_I3, output_OI = transforms(torch.float64)
    d, g = torch.randn(6, 6).double(), torch.randn(3, 3).double()
    y = output_OI @ ((filter_I3 @ g @ filter_I3.T) * (tile_II @ d @ tile_II.T)) @ output_OI.T
    correlation = [[(d[i : i + 3, j : j + 3] * g).sum() for j in range(4)] for i in range(4)]
    torch.testing.assert_close(y, torch.tensor(correlation).double())


@pytest.mark.parametrize(
    ("images", "entering", "leaving", "height", "width"),
    [(1, 1, 1, 4, 4), (3, 2, 5, 4, 4), (2, 5, 3, 8, 12), (5, 3, 3, 16, 4)],
)
def test_output_and_gradients_are_the_direct_convolutions(
    monkeypatch: pytest.MonkeyPatch,
    images: int,
    entering: int,
    leaving: int,
    height: int,
    width: int,
) -> None:
    monkeypatch.setattr(module, "CHUNK_NUMBERS", 1)
    monkeypatch.setattr(module, "CHUNK_TILES", 2 * height * width // 16)  # two images at once
    x, weight = drawn(images, entering, height, width), drawn(leaving, entering, 3, 3)
    slope = drawn(images, leaving, height, width)
    found: list[Tensor] = []
    expected: list[Tensor] = []
    for form, values in ((winograd, found), (direct, expected)):
        leaves = x.clone().requires_grad_(), weight.clone().requires_grad_()
        y = form(*leaves)
        values += [y.detach(), *torch.autograd.grad(y, leaves, slope)]
    torch.testing.assert_close(found, expected)


def test_gradients_are_those_of_finite_differences() -> None:
    x, weight = drawn(2, 2, 4, 8).requires_grad_(), drawn(3, 2, 3, 3).requires_grad_()
    assert torch.autograd.gradcheck(winograd, (x, weight), fast_mode=True)


@pytest.mark.parametrize("needed", [0, 1])
def test_one_gradient_alone_is_the_direct_one(needed: int) -> None:
    leaves = [drawn(2, 3, 8, 8), drawn(4, 3, 3, 3)]
    leaves[needed].requires_grad_()
    found, expected = (
        torch.autograd.grad(form(*leaves).square().sum(), leaves[needed])
        for form in (winograd, direct)
    )
    torch.testing.assert_close(found, expected)


def test_maps_lie_channels_last_and_any_layout_may_enter() -> None:
    x, weight = torch.randn(2, 3, 8, 8).requires_grad_(), torch.randn(4, 3, 3, 3)
    y = winograd(x, weight)
    assert y.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(y, direct(x, weight), atol=1e-4, rtol=1e-4)
    (slope,) = torch.autograd.grad(y.sum(), x)  # from one number, spread over the map
    assert slope.is_contiguous(memory_format=torch.channels_last)


def test_other_sides_are_refused() -> None:
    with pytest.raises(ValueError, match="must be multiples of 4, got 8x6"):
        winograd(torch.zeros(1, 1, 8, 6), torch.zeros(1, 1, 3, 3))


@pytest.mark.parametrize(
    ("images", "channels", "side", "worth"),
    [
        (2, 64, 32, True),
        (8, 64, 16, True),
        (128, 64, 8, False),
        (32, 512, 4, True),
        (16, 512, 4, False),  # 16 tiles
        (128, 32, 32, False),
        (8, 128, 18, False),
    ],
)
def test_wide_layers_on_enough_tiles_are_worth_it(
    images: int, channels: int, side: int, worth: bool
) -> None:
    conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False, device="meta")
    conv.weight = nn.Parameter(torch.empty(0))  # on the CPU; only its kind is asked for
    x_BCHW = torch.empty(1).expand(images, channels, side, side)
    assert is_worth_winograd(conv, x_BCHW) is worth


@pytest.mark.parametrize(
    "conv",
    [
        wide_conv(stride=2),
        wide_conv(dilation=2),
        wide_conv(groups=2),
        wide_conv(bias=True),
        wide_conv(padding=0),
        wide_conv(padding_mode="circular"),
        nn.Conv2d(64, 64, 1, bias=False),
        nn.Conv2d(3, 64, 3, padding=1, bias=False),
        wide_conv().to(torch.bfloat16),
        type("Other", (nn.Conv2d,), {})(64, 64, 3, padding=1, bias=False),
    ],
)
def test_other_layers_are_not_worth_it(conv: nn.Conv2d) -> None:
    x_BCHW = torch.empty(1).expand(8, 64, 32, 32)
    assert is_worth_winograd(wide_conv(), x_BCHW)
    assert not is_worth_winograd(conv, x_BCHW)


def test_autocast_keeps_the_direct_form() -> None:
    x_BCHW = torch.empty(1).expand(8, 64, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        assert not is_worth_winograd(wide_conv(), x_BCHW)


def test_a_wide_network_gives_the_same_logits_and_gradients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, calls = build(plain("resnet10")), []
    other, x_BCHW = deepcopy(model), drawn(2, 3, 32, 32, dtype=torch.float32)

    def counted(x_BCHW: Tensor, weight_KC33: Tensor) -> Tensor:
        calls.append(tuple(weight_KC33.shape))
        return winograd(x_BCHW, weight_KC33)

    monkeypatch.setattr("search.training.convolutions.winograd", counted)
    expected = other(x_BCHW)
    expected.square().sum().backward()
    with wide_convolutions(model):
        found = model(x_BCHW)
        found.square().sum().backward()
    assert calls == [(64, 64, 3, 3)] * 2 + [(128, 128, 3, 3)]  # 2 images have 8 tiles of 8x8
    assert (found - expected).norm() <= 1e-4 * expected.norm()
    stem, other_stem = (one.get_submodule("stem.conv").weight.grad for one in (model, other))
    assert isinstance(stem, Tensor)
    assert isinstance(other_stem, Tensor)
    # A rounding may cross a ReLU: noise of 1e-6 in the images moves this gradient by up to 0.7 %.
    assert (stem - other_stem).norm() <= 0.03 * other_stem.norm()


def test_a_validation_may_come_before_the_first_training_step() -> None:
    conv, x_BCHW = wide_conv(), drawn(2, 64, 16, 16, dtype=torch.float32)
    transforms.cache_clear()
    with wide_convolutions(conv):
        with torch.inference_mode():
            validated = conv(x_BCHW)
        trained = conv(x_BCHW)
        trained.sum().backward()
    assert trained.grad_fn is not None
    assert torch.equal(validated, trained)
    assert conv.weight.grad is not None


def test_the_modules_are_as_before_also_after_an_error() -> None:
    model = build(plain("resnet10"))
    names = list(model.state_dict())
    with wide_convolutions(model):
        inside = changed(model)
        assert list(model.state_dict()) == names
        with wide_convolutions(model):
            assert changed(model) == inside
        assert changed(model) == inside  # the outer one still holds
    assert len(inside) == 5  # both of stage 1, the second of each other stage
    assert changed(model) == []
    with pytest.raises(KeyError, match="ours"), wide_convolutions(model):
        raise KeyError("ours")
    assert changed(model) == []
    assert list(model.state_dict()) == names


def test_a_narrow_network_takes_the_direct_form(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x_BCHW = build(plain("resnet20")).eval(), drawn(8, 3, 32, 32, dtype=torch.float32)
    monkeypatch.delattr("search.training.convolutions.winograd")  # a call would be an error
    with torch.inference_mode(), wide_convolutions(model):
        inside = model(x_BCHW)
    with torch.inference_mode():
        assert torch.equal(inside, model(x_BCHW))
