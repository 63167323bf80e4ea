"""SGD with Nesterov momentum, which numbers decay, and one step of it."""

from torch import nn
from torch.optim import SGD, Adam, Optimizer

from search.config import Protocol


def optimizer_of(model: nn.Module, protocol: Protocol) -> Optimizer:
    """Return the optimiser: matrices and kernels decay; norms, biases and scalar gains do not.

    The tutorials' is Adam, in which everything decays.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    if protocol.recipe == "tutorial":
        return Adam(
            trained, lr=protocol.learning_rate, weight_decay=protocol.weight_decay, foreach=True
        )
    weights = [p for p in trained if p.ndim > 1]
    others = [p for p in trained if p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": protocol.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return SGD(
        groups,
        lr=protocol.learning_rate,
        momentum=protocol.momentum,
        nesterov=protocol.momentum > 0,
        foreach=True,
    )


def take_step(optimizer: Optimizer, learning_rate: float) -> None:
    """Change the weights by their gradients at this rate, and forget the gradients."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
