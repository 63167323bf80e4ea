"""bf16 autocast for CPUs without bf16 hardware: its numbers at about the speed of fp32.

Such a CPU emulates bf16 convolutions ten times slower than fp32 ones. What hardware computes is
known, though: products of two bf16 numbers are exact in fp32 and are added in fp32, and the sum is
rounded to bf16. So here autocast runs as it is, norms and activations in real bf16, but products
take rounded inputs and weights in fp32 and round what comes out; autograd rounds gradients alike.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

PRODUCTS: frozenset[Callable[..., Tensor]] = frozenset(
    {
        torch.conv1d,
        torch.conv2d,
        torch.bmm,
        torch.matmul,
        Tensor.bmm,
        Tensor.matmul,
        Tensor.__matmul__,
        functional.linear,
        functional.scaled_dot_product_attention,
    }
)


class RoundedProducts(TorchFunctionMode):
    """While it is entered, products under CPU autocast are computed in fp32 from rounded numbers.

    Outside autocast, and where a module turns it off, nothing changes.
    """

    def __torch_function__(
        self,
        func: Callable[..., Tensor],
        types: object,  # torch's signature
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> Tensor:
        """Call the function, on rounded numbers if it is a product."""
        named = kwargs or {}
        if func not in PRODUCTS or not torch.is_autocast_enabled("cpu"):
            return func(*args, **named)
        with torch.autocast("cpu", enabled=False):
            found = func(*map(_rounded, args), **{n: _rounded(one) for n, one in named.items()})
        return found.bfloat16()


def _rounded(argument: object) -> object:
    """Return a tensor of numbers rounded to bf16, in fp32; anything else as it is."""
    if isinstance(argument, Tensor) and argument.is_floating_point():
        return argument.bfloat16().float()
    return argument
