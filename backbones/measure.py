"""What a finished network costs, counted from its trace: the check on every closed form."""

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from space import Architecture, Shape, cost
from space.backbone import IMAGE_SIDE

from .modes import evaluating
from .resnet import build

if TYPE_CHECKING:
    from fvcore.nn import FlopCountAnalysis

IMAGE = Shape(3, IMAGE_SIDE, IMAGE_SIDE)

# What the field does not count. fvcore's own rules for norms and pooling are dropped (a rule of
# None leaves them counted), and so is einsum's, which knows four digits only. What is neither
# here, nor among the rules, nor in fvcore's list of operators that only move data is refused.
NORMS_AND_POOLING = (
    "adaptive_avg_pool2d adaptive_max_pool2d amax batch_norm layer_norm max_pool2d mean sum"
)
ELEMENTWISE = (
    "abs add add_ clamp_min div expand_as eye hardswish "
    "linalg_vector_norm mul neg sigmoid softmax sqrt sub tanh"
)
SHAPES = "channel_shuffle pad"
UNCOUNTED = frozenset(
    f"aten::{name}" for names in (NORMS_AND_POOLING, ELEMENTWISE, SHAPES) for name in names.split()
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one forward pass of one image takes, whole and by qualified module name.

    A module's own name includes all below it; `by_module[""]` is `macs`.
    """

    macs: int
    params: int
    by_module: dict[str, int]


def measure(network: Architecture | nn.Module, shape: Shape = IMAGE) -> Measured:
    """Return the counts of a network, or of any module whose input has the shape.

    The module comes back in its mode, with its buffers untouched.

    Raises:
        RuntimeError: an operator has no rule and is not known to be free; names it.
    """
    model = network if isinstance(network, nn.Module) else _hollow(network)
    size = (1, shape.channels, shape.height, shape.width)
    like = next(model.parameters(), torch.empty(0))
    with evaluating(model), torch.no_grad():
        analysis = _analysis(model, like.new_zeros(size))
        by_module = {name: int(macs) for name, macs in analysis.by_module().items()}
        unknown = sorted(set(analysis.unsupported_ops()) - UNCOUNTED)
    if unknown:
        raise RuntimeError(
            f"every operator needs a counting rule or a place among the uncounted ones in "
            f"backbones/measure.py, got {', '.join(unknown)}"
        )
    params = sum(parameter.numel() for parameter in model.parameters())
    return Measured(by_module[""], params, by_module)


def refuse_difference(architecture: Architecture, model: nn.Module) -> None:
    """Refuse a model that does not cost what `space.cost` says of its architecture.

    Raises:
        RuntimeError: the counts differ; names both.
    """
    measured, expected = measure(model), cost(architecture)
    for name, counted in (("macs", measured.macs), ("params", measured.params)):
        if counted != expected[name]:
            raise RuntimeError(
                f"{name} of the built network must equal the closed form {expected[name]:,}, "
                f"got {counted:,}; one of the two is wrong, so neither is stored"
            )


def _hollow(architecture: Architecture) -> nn.Module:
    """Return the network without drawing its weights: the caller's generator stays as it is."""
    with torch.device("meta"):
        model = build(architecture)
    return model.to_empty(device="cpu")  # a trace on the meta device fails in convolutions


def _analysis(model: nn.Module, x_1CHW: Tensor) -> "FlopCountAnalysis":
    """Return fvcore's counter, silent, with exact rules only."""
    with warnings.catch_warnings():
        # fvcore scripts a loss of its own at import, which torch has deprecated.
        warnings.filterwarnings("ignore", message=".*torch.jit")
        from fvcore.nn import FlopCountAnalysis, jit_handles

    def products(inputs: list[Any], outputs: list[Any]) -> int:
        """Count matmul by its result: fvcore's rule loses the batch of a broadcast operand."""
        result: list[int] = jit_handles.get_shape(outputs[0])
        inner: int = jit_handles.get_shape(inputs[0])[-1]
        return math.prod(result) * inner

    def attended(inputs: list[Any], outputs: list[Any]) -> int:
        """Count fused attention as its two products: Q·Kᵀ, and the weights with V."""
        num_keys: int
        width: int
        *_, num_keys, width = jit_handles.get_shape(inputs[1])
        result: list[int] = jit_handles.get_shape(outputs[0])
        return math.prod(result[:-1]) * num_keys * (width + result[-1])

    rules = {
        "aten::_convolution": jit_handles.conv_flop_jit,
        "aten::linear": jit_handles.linear_flop_jit,
        "aten::addmm": jit_handles.addmm_flop_jit,
        "aten::bmm": jit_handles.bmm_flop_jit,
        "aten::mm": jit_handles.matmul_flop_jit,
        "aten::matmul": products,
        "aten::scaled_dot_product_attention": attended,
    }
    analysis = FlopCountAnalysis(model, x_1CHW).clear_op_handles().set_op_handle(**rules)
    return analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
