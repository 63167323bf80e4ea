"""Non-local block as data.

Source: Wang et al., Non-local Neural Networks, arXiv:1711.07971, sec. 3; sub-sampling before the
projections, scaled logits and a zeroed norm as in the authors' code.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from ..shape import Shape
from .mechanism import (
    Choice,
    Mechanism,
    Sizes,
    UsualPosition,
    bottleneck,
    narrow_reason,
    one_of,
    quadratic_reason,
)

# How two positions are compared, and the word for it in a table.
FORMS = {
    "embedded_gaussian": "embedded",
    "dot_product": "dot",
    "gaussian": "gaussian",
    "concatenation": "concat",
}


@dataclass(frozen=True, slots=True)
class NonLocalSizes(Sizes):
    """Embedding width, how two positions are compared, and whether keys and values are pooled."""

    embedding: int
    pairwise: str
    sub_sample: bool


class NonLocal(Mechanism):
    """Every position takes a weighted mean of all positions, added to it."""

    kind: Literal["non_local"] = "non_local"
    pairwise: Annotated[str, AfterValidator(one_of(*FORMS))] = "embedded_gaussian"
    reduction: Annotated[int, AfterValidator(one_of(2, 4, 8))] = 2
    sub_sample: bool = False

    usual_position: ClassVar[UsualPosition] = "stage_end"
    starts_as_identity: ClassVar[bool] = True
    searched: ClassVar[dict[str, tuple[Choice, ...]]] = {
        "pairwise": tuple(FORMS),
        "reduction": (2, 4, 8),
        "sub_sample": (False, True),
    }

    def sizes(self, shape: Shape) -> NonLocalSizes:
        """Return d = max(1, C // r)."""
        width = bottleneck(shape.channels, self.reduction, 1)
        return NonLocalSizes(width, self.pairwise, self.sub_sample)

    def macs(self, shape: Shape) -> int:
        """Return the projections' and the pairs' multiply-accumulates, K the number of keys.

        C·d·N for W_z and C·d·K for g; θ and φ as much again, unless Gaussian; N·K·d for the values
        taken, and for comparing as much (N·K·C on x itself, d·(N + K) for a concatenation).
        """
        channels, width, queries = shape.channels, self.sizes(shape).embedding, shape.positions
        keys = (shape.height // 2) * (shape.width // 2) if self.sub_sample else queries
        projections = channels * width * (queries + keys)
        compared = {
            "gaussian": queries * keys * channels,
            "concatenation": projections + width * (queries + keys),
        }.get(self.pairwise, projections + queries * keys * width)
        return projections + compared + queries * keys * width

    def params(self, shape: Shape) -> int:
        """Return g and W_z with biases, θ and φ unless Gaussian, w of a concatenation, the norm.

        2·C·d + d + C, 2·C·d + 2·d, 2·d and 2·C.
        """
        channels, width = shape.channels, self.sizes(shape).embedding
        found = 2 * channels * width + width + channels + 2 * channels
        if self.pairwise != "gaussian":
            found += 2 * channels * width + 2 * width
        return found + (2 * width if self.pairwise == "concatenation" else 0)

    def reason_invalid(self, shape: Shape) -> str | None:
        """Refuse sub-sampling where 2x2 pooling leaves nothing."""
        if self.sub_sample and min(shape.height, shape.width) < 2:
            return f"sub_sample needs a map of at least 2x2, got {shape.height}x{shape.width}"
        return None

    def reason_unproposed(self, shape: Shape) -> str | None:
        """Refuse maps over more than 256 positions unless sub-sampled, and embeddings below 4."""
        too_many = None if self.sub_sample else quadratic_reason(shape)
        return too_many or narrow_reason("embedding", self.sizes(shape).embedding, 4)

    def in_words(self) -> str:
        """Return `non_local embedded r2 sub`."""
        form = FORMS[self.pairwise]
        return f"non_local {form} r{self.reduction}{' sub' if self.sub_sample else ''}"
