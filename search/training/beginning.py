"""The first epochs of a network that is not all new: what is frozen, and how attention comes in.

Hooks of the network do it, since `train` calls it once for each step: nothing of them is in the
state dict, and none is left at the end.
Shapes: B images, C channels, H x W positions.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from torch import Tensor, nn

from backbones.gates import attention_modules

HEAD = "head."  # the classifier's parts


class Steps:
    """How many training steps a network has done: its passes in training mode."""

    def __init__(self) -> None:
        self.done = 0

    def count(self, model: nn.Module, _inputs: tuple[Tensor], _output: Tensor) -> None:
        """Hear of one more pass; a copy of the model that only validates counts none."""
        self.done += model.training


@contextmanager
def begun(model: nn.Module, *, frozen_steps: int, warmup_steps: int) -> Iterator[None]:
    """Have the network begin so in the training within; 0 is without."""
    steps = Steps()
    with ExitStack() as hooks:
        if frozen_steps:
            hooks.enter_context(_frozen(model, steps, frozen_steps))
        if warmup_steps:
            hooks.enter_context(_blended(model, steps, warmup_steps))
        hooks.enter_context(model.register_forward_hook(steps.count))
        yield


def backbone_names(model: nn.Module) -> set[str]:
    """Return the tensors that are neither attention's nor the classifier's."""
    apart = (HEAD, *(f"{name}." for name in attention_modules(model)))
    return {name for name in model.state_dict() if not name.startswith(apart)}


@contextmanager
def _frozen(model: nn.Module, steps: Steps, num_steps: int) -> Iterator[None]:
    """Let only attention and the classifier learn at first; then everything.

    The backbone's norms go by their running statistics meanwhile, which stay as they are.
    Source: Houlsby et al., Parameter-Efficient Transfer Learning, arXiv:1902.00751, sec. 2.1, and
    Kumar et al., Fine-Tuning can Distort Pretrained Features, arXiv:2202.10054, sec. 3: what is
    new first, with the classifier, then all of it.
    Departs from it: the backbone's norms do not learn in the first part.
    """
    names = backbone_names(model)
    weights = [one for name, one in model.named_parameters() if name in names]
    norms = [
        one for name, one in model.named_modules()
        if isinstance(one, nn.BatchNorm2d) and f"{name}.running_mean" in names
    ]  # fmt: skip

    def freeze(model: nn.Module, _inputs: tuple[Tensor]) -> None:
        if not model.training:
            return
        is_frozen = steps.done < num_steps
        for weight in weights:  # without a gradient the optimiser passes over it
            weight.requires_grad_(not is_frozen)
        for norm in norms:
            norm.train(not is_frozen)

    try:
        with model.register_forward_pre_hook(freeze):
            yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


@contextmanager
def _blended(model: nn.Module, steps: Steps, num_steps: int) -> Iterator[None]:
    """Let attention A count as x + a·(A(x) − x), a from 0 at the first step to 1 after the last.

    From then on it is A itself.
    """

    def blend(_module: nn.Module, inputs: tuple[Tensor], y_BCHW: Tensor) -> Tensor | None:
        share = steps.done / num_steps
        return inputs[0] + share * (y_BCHW - inputs[0]) if share < 1 else None

    with ExitStack() as hooks:
        for module in attention_modules(model).values():
            hooks.enter_context(module.register_forward_hook(blend))
        yield
