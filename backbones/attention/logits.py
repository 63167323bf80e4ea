"""Products of queries, keys and values; the logits in fp32, whatever autocast says.

Source: the products of queries and keys overflow fp16, and bf16 keeps 8 bits of them: softmax then
picks rounding errors.
Shapes: `...` batch and whatever is batched with it, Q queries, K keys, D embedding, E values.
"""

import torch
from torch import Tensor
from torch.nn import functional


def logits(query_QD: Tensor, key_DK: Tensor) -> Tensor:
    """Return the product over the embedding, for every leading index, in fp32."""
    with torch.autocast(query_QD.device.type, enabled=False):
        return torch.matmul(query_QD.float(), key_DK.float())


def attended(
    query_QD: Tensor,
    key_KD: Tensor,
    value_KE: Tensor,
    *,
    scale: float = 1.0,
    bias_QK: Tensor | None = None,
) -> Tensor:
    """Return softmax(scale·Q·Kᵀ + bias)·V without keeping the map, where a fused kernel exists.

    On CPU it exists for D = E without a bias; torch's plain form serves the rest. Both accumulate
    the logits in fp32 from whatever precision the projections have.
    """
    # A kernel wants each row in one piece; rows of a map that is not channels_last are not.
    return functional.scaled_dot_product_attention(
        query_QD.contiguous(),
        key_KD.contiguous(),
        value_KE.contiguous(),
        attn_mask=bias_QK,
        scale=scale,
    )
