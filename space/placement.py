"""One mechanism and where it stands."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from .attention import Attention
from .place import Blocks, Position

Gain = Literal["plain", "zero"]


class Placement(BaseModel):
    """One mechanism, where in a block (or behind the stage), and in which blocks.

    In a block x → conv1, norm, relu → … → norm → + shortcut → relu:
    `pre` is on the branch's input, `after_conv1` behind the first activation, `residual` behind
    the branch's last norm, `identity` on the shortcut, behind its projection if it has one, `post`
    behind the addition and its activation. `stage_end` is once, behind the stage's last block.

    With a `gain` of `zero` the mechanism A becomes x + g·(A(x) − x) with a learned g that starts
    at 0, so that any mechanism starts as the identity; one that does so by itself stays as it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attention: Attention
    position: Position
    blocks: Blocks = "all"
    gain: Gain = "plain"

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: object) -> object:
        """Give a placement behind a stage its only block."""
        if isinstance(data, dict) and data.get("position") == "stage_end":
            return {"blocks": "last", **data}
        return data

    @model_validator(mode="after")
    def _stage_end_is_once(self) -> Self:
        if self.position == "stage_end" and self.blocks != "last":
            raise ValueError("blocks must be last (or left out) at stage_end, got " + self.blocks)
        return self
