"""An architecture: a backbone and what attention each of its stages gets."""

import json
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .backbone import BACKBONES, NUM_CLASSES, Backbone, BackboneName, backbone
from .placement import Placement
from .refusal import Refusal
from .shape import Shape
from .slot import reason_invalid


class Architecture(BaseModel):
    """A network to be: valid if it builds.

    Two placements in one slot are applied in their order. Equal networks may be spelled in more
    than one way: compare `plan.digest`, not instances.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    backbone: BackboneName
    num_classes: int = Field(default=NUM_CLASSES, ge=2, le=10**6, strict=True)
    stages: tuple[tuple[Placement, ...], ...]

    @model_validator(mode="after")
    def _is_buildable(self) -> Self:
        expected = len(BACKBONES[self.backbone].stages)
        if len(self.stages) != expected:
            raise ValueError(
                f"stages must have {expected} entries for {self.backbone}, got {len(self.stages)}"
            )
        reason = reason_invalid(self.plain_backbone(), self.stages)
        if reason:
            raise ValueError(reason)
        return self

    def shapes(self) -> tuple[Shape, ...]:
        """Return the shape at the output of each stage."""
        return self.plain_backbone().shapes()

    def plain_backbone(self) -> Backbone:
        """Return the backbone's stages, stem and shortcut."""
        return BACKBONES[self.backbone]

    @property
    def is_plain(self) -> bool:
        """Say whether no stage has attention."""
        return not any(self.stages)

    def to_json(self) -> str:
        """Return the canonical form: sorted keys, no spaces, every default written out."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Architecture":
        """Return the architecture of a JSON text.

        Raises:
            Refusal: the text breaks a rule; names the path, the rule and the value.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise Refusal(first_problem(error)) from error


def plain(name: str, num_classes: int = NUM_CLASSES) -> Architecture:
    """Return the backbone without attention."""
    stages: tuple[tuple[Placement, ...], ...] = ((),) * len(backbone(name).stages)
    return Architecture(backbone=name, num_classes=num_classes, stages=stages)


def first_problem(error: ValidationError) -> str:
    """Return one line: the path in the document, the rule, the value."""
    details = error.errors()[0]
    *parents, last = details["loc"] or ("",)
    value = details["input"]
    if details["type"] == "extra_forbidden":
        return f"{_path(parents) or 'document'}: unknown key {last}; leave it out"
    if details["type"] == "union_tag_invalid":
        given, known = details["ctx"]["tag"], details["ctx"]["expected_tags"].replace("'", "")
        return f"{_path([*parents, last])}: kind must be one of {known}, got {given}"
    message = details["msg"].removeprefix("Value error, ")
    shown = "" if " got " in message or isinstance(value, dict | list) else f", got {value}"
    return " ".join(f"{_path([*parents, last]) or 'document'}: {message}{shown}".split())


def _path(parts: Sequence[int | str]) -> str:
    joined = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return joined.lstrip(".")
