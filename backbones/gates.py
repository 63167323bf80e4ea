"""What each attention module of a model computes, by its qualified name.

A module within another (what `Gained` wraps) is looked at through the outer one. A module that the
pass does not reach is left out; the order is that of the pass. The model stays as it is: modes,
buffers, gradients and hooks, also where the pass fails.
Shapes: B images, C channels, H x W positions.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace

import torch
from torch import Tensor, nn

from space import Refusal

from .attention import AttentionModule, Gate
from .gate_sums import ModuleSums
from .modes import evaluating
from .module_statistics import ModuleStatistics

Batch = Tensor | Sequence[Tensor]
Hear = Callable[[str, AttentionModule, Tensor, Tensor], None]


def recorded(model: nn.Module, x_BCHW: Tensor) -> dict[str, dict[str, Gate]]:
    """Return the gates of every attention module for these images, on the CPU.

    One pass in evaluation mode. Of a module applied several times it is the last call.
    """
    found: dict[str, dict[str, Gate]] = {}

    def hear(name: str, module: AttentionModule, x_BCHW: Tensor, _: Tensor) -> None:
        found[name] = {one: _kept(gate) for one, gate in module.gates(x_BCHW).items()}

    _pass(model, x_BCHW, hear)
    return found


def gate_statistics(model: nn.Module, batches: Iterable[Batch]) -> dict[str, ModuleStatistics]:
    """Return statistics of every attention module over all images, B x C x H x W in each batch.

    A batch may be what a data loader yields: the images first, then labels, which are ignored.
    Holds one batch's gates of one module at a time, and sums as large as the gates of one image.
    Every call of a module applied several times counts, as if it had seen so many more images.

    Raises:
        Refusal: there are no images, or they have different sizes.
    """
    sums: dict[str, ModuleSums] = {}
    num_images = 0

    def hear(name: str, module: AttentionModule, x_BCHW: Tensor, y_BCHW: Tensor) -> None:
        sums.setdefault(name, ModuleSums()).add(module, x_BCHW, y_BCHW)

    for batch in batches:
        x_BCHW = batch if isinstance(batch, Tensor) else batch[0]
        num_images += len(x_BCHW)
        if len(x_BCHW):
            _pass(model, x_BCHW, hear)
    if not num_images:
        raise Refusal("statistics need at least 1 image, got 0; pass a batch that holds some")
    return {name: one.statistics() for name, one in sums.items()}


def attention_modules(model: nn.Module) -> dict[str, AttentionModule]:
    """Return each outermost attention module once, by the first of its names."""
    found: dict[str, AttentionModule] = {}
    within: set[nn.Module] = set()
    for name, module in model.named_modules():
        if isinstance(module, AttentionModule) and module not in within:
            found[name] = module
            within.update(module.modules())
    return found


def _pass(model: nn.Module, x_BCHW: Tensor, hear: Hear) -> None:
    """Run the model once, and call `hear` with the input and the output of each module."""
    model = getattr(model, "_orig_mod", model)  # of torch.compile, which knows no later hooks
    eager = torch.compiler.set_stance("force_eager")
    with evaluating(model), torch.no_grad(), eager, ExitStack() as hooks:
        for name, module in attention_modules(model).items():

            def hook(
                module: AttentionModule, inputs: tuple[Tensor], y_BCHW: Tensor, name: str = name
            ) -> None:
                hear(name, module, inputs[0], y_BCHW)

            hooks.enter_context(module.register_forward_hook(hook))
        model(x_BCHW)


def _kept(gate: Gate) -> Gate:
    """Return a copy that shares no memory with the model, which may go on learning."""
    own = None if gate.own is None else gate.own.detach().to("cpu", copy=True)
    return replace(gate, values=gate.values.detach().to("cpu", copy=True), own=own)
