"""The searched space: what is proposed, by which parameter names, and how one is drawn."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from math import prod
from random import Random
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, field_validator

from .architecture import Architecture
from .attention import MECHANISMS, Choice, Mechanism
from .backbone import NUM_CLASSES, BackboneName, backbone
from .placement import Placement
from .stage_space import NONE, StageSpace

Choose = Callable[[str, tuple[Choice, ...]], Choice]


class SearchSpace(BaseModel):
    """What is proposed: for each stage of a backbone at most one placement.

    A value that no proposed setting could use on a stage's shape is not among that stage's
    choices; a parameter with one choice is fixed and never asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: BackboneName
    num_classes: int = NUM_CLASSES
    kinds: tuple[str, ...] = tuple(MECHANISMS)

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            if kind not in MECHANISMS:
                raise ValueError(f"kinds must be among {', '.join(MECHANISMS)}, got {kind}")
            if kinds.count(kind) > 1:
                raise ValueError(f"kinds must each be named once, got {kind} again")
        return kinds

    @cached_property
    def stages(self) -> tuple[StageSpace, ...]:
        """Return what each stage may get."""
        network = backbone(self.backbone)
        return tuple(StageSpace(network, number, self.kinds) for number in network.numbers())

    def parameters(self) -> dict[str, tuple[Choice, ...]]:
        """Return the name of every parameter with a choice, and its choices, in a fixed order."""
        return {
            name: values
            for stage in self.stages
            for name, values in stage.parameters.items()
            if len(values) > 1
        }

    def digest(self) -> str:
        """Return 16 hexadecimal digits of all parameters and their choices, in order."""
        text = json.dumps(self.parameters())
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def size(self) -> int:
        """Return the number of different networks that may be proposed."""
        return prod(1 + len(stage.placements) for stage in self.stages)

    def architecture(self, placements: tuple[Placement | None, ...]) -> Architecture:
        """Return the architecture with at most one placement in each stage."""
        stages = tuple((one,) if one else () for one in placements)
        return Architecture(backbone=self.backbone, num_classes=self.num_classes, stages=stages)

    def reason_unproposed(self, architecture: Architecture) -> str | None:
        """Return the rule by which a search of this space leaves this out, or None.

        The choices of a parameter are one list, whatever the others are: a draw may put a setting
        that fits its stage before the stage's first block, where it does not.
        """
        if architecture.backbone != self.backbone:
            return f"backbone must be {self.backbone}, got {architecture.backbone}"
        for stage, placements in zip(self.stages, architecture.stages, strict=True):
            if len(placements) > 1:
                return f"stage {stage.number} may have 1 placement, got {len(placements)}"
            reason = stage.reason_unproposed(placements[0]) if placements else None
            if reason:
                return reason
        return None


def sample(choose: Choose, search_space: SearchSpace) -> Architecture:
    """Return an architecture drawn by `choose(name, options)`, which returns one option.

    It is valid; ask `reason_unproposed` whether it is proposed, too.
    """
    return search_space.architecture(
        tuple(_sample_stage(choose, stage) for stage in search_space.stages)
    )


def random_architecture(generator: Random, search_space: SearchSpace) -> Architecture:
    """Return a proposed architecture, every choice of a parameter being as likely."""
    while True:
        drawn = sample(lambda _, options: generator.choice(options), search_space)
        if search_space.reason_unproposed(drawn) is None:
            return drawn


def assignment(architecture: Architecture, search_space: SearchSpace) -> dict[str, Choice]:
    """Return the parameters by which `sample` would draw this architecture."""
    drawn: dict[str, Choice] = {}
    wanted = {
        name: value
        for stage, placements in zip(search_space.stages, architecture.stages, strict=True)
        for name, value in _stage_assignment(stage, placements).items()
    }

    def choose(name: str, options: tuple[Choice, ...]) -> Choice:
        assert wanted[name] in options, f"{name} = {wanted[name]} is not proposed"
        drawn[name] = wanted[name]
        return wanted[name]

    sample(choose, search_space)
    return drawn


def _sample_stage(choose: Choose, stage: StageSpace) -> Placement | None:
    def ask(name: str) -> Choice:
        options = stage.parameters[f"stage{stage.number}.{name}"]
        return options[0] if len(options) == 1 else choose(f"stage{stage.number}.{name}", options)

    kind = cast("str", ask("attention"))
    if kind == NONE:
        return None
    position = ask("position")
    blocks = ask("blocks") if position != "stage_end" else "last"
    attention = _sample_mechanism(ask, kind, stage)
    return Placement.model_validate(
        {"attention": attention, "position": position, "blocks": blocks}
    )


def _sample_mechanism(ask: Callable[[str], Choice], kind: str, stage: StageSpace) -> Mechanism:
    """Ask for the active hyperparameters in turn."""
    chosen: dict[str, Any] = {name: values[0] for name, values in stage.values(kind).items()}
    for name in chosen:
        if MECHANISMS[kind](**chosen).is_active(name):
            chosen[name] = ask(f"{kind}.{name}")
    return MECHANISMS[kind](**chosen)


def _stage_assignment(
    stage: StageSpace, placements: tuple[Placement, ...]
) -> Mapping[str, Choice]:
    prefix = f"stage{stage.number}"
    if not placements:
        return {f"{prefix}.attention": NONE}
    (placement,) = placements
    kind = placement.attention.kind
    own = {f"{prefix}.{kind}.{n}": getattr(placement.attention, n) for n in stage.values(kind)}
    return {
        f"{prefix}.attention": kind,
        f"{prefix}.position": placement.position,
        f"{prefix}.blocks": placement.blocks,
        **own,
    }
