"""Batch norms folded into the convolutions before them: the same outputs in evaluation, sooner.

Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference, arXiv:1712.05877, sec. 3.2.
Which norm follows which convolution is seen in a pass, not guessed from names: whatever stands
between the two, or uses the convolution's output as well, keeps them apart.
Shapes: B images, C channels, H x W positions.
"""

from collections import Counter
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from space import Refusal

TOLERANCE = 1e-5  # of the largest output


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a convolution returned, and how often it had been written to by then."""

    name: str
    y_BCHW: Tensor
    version: int
    made_by: Any  # autograd's node, which torch leaves without a type


def folded(model: nn.Module, x_BCHW: Tensor) -> nn.Module:
    """Return a copy for evaluation without each batch norm that follows a convolution directly.

    The convolution has a bias instead, and the norm's name holds an identity. A module that is
    called more than once for the images stays as it is. The model stays as it is, too.

    Raises:
        Refusal: the copy does not return what the model does.
    """
    copy = deepcopy(model).eval().requires_grad_(True)
    for conv_name, norm_name in _pairs(copy, x_BCHW).items():
        conv, norm = copy.get_submodule(conv_name), copy.get_submodule(norm_name)
        assert isinstance(conv, nn.Conv2d), "only these are looked at"
        assert isinstance(norm, nn.BatchNorm2d), "only these are looked at"
        copy.set_submodule(conv_name, fuse_conv_bn_eval(conv, norm))
        copy.set_submodule(norm_name, nn.Identity())
    copy.requires_grad_(False)
    _refuse_difference(deepcopy(model).eval(), copy, x_BCHW)
    return copy


def _pairs(model: nn.Module, x_BCHW: Tensor) -> dict[str, str]:
    """Return each convolution whose output goes into one norm and nowhere else, and that norm."""
    sent: dict[int, _Sent] = {}
    found: list[tuple[_Sent, str]] = []
    calls: Counter[str] = Counter()
    with ExitStack() as hooks, torch.enable_grad():
        for name, module in model.named_modules():

            def send(_m: nn.Module, _x: object, y_BCHW: Tensor, name: str = name) -> None:
                calls[name] += 1
                sent[id(y_BCHW)] = _Sent(name, y_BCHW, y_BCHW._version, y_BCHW.grad_fn)

            def take(_m: nn.Module, inputs: tuple[Tensor], name: str = name) -> None:
                calls[name] += 1
                one = sent.get(id(inputs[0]))
                if one is not None and one.y_BCHW._version == one.version:
                    found.append((one, name))

            if isinstance(module, nn.Conv2d):
                hooks.enter_context(module.register_forward_hook(send))
            elif isinstance(module, nn.BatchNorm2d) and module.track_running_stats:
                hooks.enter_context(module.register_forward_pre_hook(take))
        uses = _uses(model(x_BCHW))
    once = (pair for pair in found if calls[pair[0].name] == calls[pair[1]] == 1)
    return {one.name: norm for one, norm in once if uses[one.made_by] == 1}


def _uses(y_BK: Tensor) -> Counter[Any]:
    """Return how many operations took in what each operation before the output returned."""
    uses: Counter[Any] = Counter()
    pending, seen = [y_BK.grad_fn], {y_BK.grad_fn}
    while pending:
        node = pending.pop()
        for earlier, _ in getattr(node, "next_functions", ()):
            uses[earlier] += 1
            if earlier not in seen:
                seen.add(earlier)
                pending.append(earlier)
    return uses


def _refuse_difference(model: nn.Module, copy: nn.Module, x_BCHW: Tensor) -> None:
    with torch.no_grad():
        expected, found = model(x_BCHW), copy(x_BCHW)
    difference = float((found - expected).abs().max())
    if not difference <= TOLERANCE * max(1.0, float(expected.abs().max())):
        raise Refusal(
            f"a folded network must return what it did before within {TOLERANCE:g}, got a "
            f"difference of {difference:.2g}; its weights may be no numbers, or a norm's variance "
            "near 0: leave its norms unfolded"
        )
