"""Attention logits and weights in fp32, whatever autocast says.

Source: the products of queries and keys overflow fp16, and bf16 keeps 8 bits of them: softmax then
picks rounding errors.
Shapes: `...` batch and whatever is batched with it, Q queries, K keys, D embedding.
"""

import torch
from torch import Tensor


def logits(query_QD: Tensor, key_DK: Tensor) -> Tensor:
    """Return the product over the embedding, for every leading index, in fp32.

    An explicit product and no fused attention: the counter has a rule for it.
    """
    with torch.autocast(query_QD.device.type, enabled=False):
        return torch.matmul(query_QD.float(), key_DK.float())
