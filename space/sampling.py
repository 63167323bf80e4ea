"""The searched space: what is proposed, by which parameter names, and how one is drawn."""

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import product
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, field_validator

from .architecture import Architecture, Blocks, Placement, Position
from .attention import MECHANISMS, Choice, Mechanism
from .backbone import NUM_CLASSES, BackboneName, backbone
from .shape import Shape

Choose = Callable[[str, tuple[Choice, ...]], Choice]
NONE = "none"
POSITIONS: tuple[Position, ...] = ("residual", "stage_end")
BLOCKS: tuple[Blocks, ...] = ("all", "last")


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
        return kinds

    @cached_property
    def stages(self) -> tuple["StageSpace", ...]:
        """Return what each stage may get."""
        network = backbone(self.backbone)
        return tuple(
            StageSpace(number, shape, self.kinds, BLOCKS if stage.num_blocks > 1 else BLOCKS[:1])
            for number, (stage, shape) in enumerate(
                zip(network.stages, network.shapes(), strict=True), start=1
            )
        )

    def parameters(self) -> dict[str, tuple[Choice, ...]]:
        """Return the name of every parameter with a choice, and its choices, in a fixed order."""
        return {
            name: values
            for stage in self.stages
            for name, values in stage.parameters.items()
            if len(values) > 1
        }

    def size(self) -> int:
        """Return the number of different assignments of the parameters."""
        total = 1
        for stage in self.stages:
            total *= 1 + len(stage.placements)
        return total

    def architecture(self, placements: tuple[Placement | None, ...]) -> Architecture:
        """Return the architecture with at most one placement in each stage."""
        stages = tuple((one,) if one else () for one in placements)
        return Architecture(backbone=self.backbone, num_classes=self.num_classes, stages=stages)


class StageSpace:
    """The settings proposed in one stage; `blocks` are all that make different networks."""

    def __init__(
        self, number: int, shape: Shape, kinds: tuple[str, ...], blocks: tuple[Blocks, ...]
    ) -> None:
        self.number = number
        self.shape = shape
        self.blocks = blocks
        self.settings = {kind: _proposed_settings(MECHANISMS[kind], shape) for kind in kinds}
        self.kinds = tuple(kind for kind in kinds if self.settings[kind])

    @cached_property
    def parameters(self) -> dict[str, tuple[Choice, ...]]:
        """Return this stage's parameter names with their choices."""
        prefix = f"stage{self.number}"
        named: dict[str, tuple[Choice, ...]] = {
            f"{prefix}.attention": (NONE, *self.kinds),
            f"{prefix}.position": POSITIONS,
            f"{prefix}.blocks": self.blocks,
        }
        for kind in self.kinds:
            for name, values in self.values(kind).items():
                named[f"{prefix}.{kind}.{name}"] = values
        return named

    def values(self, kind: str) -> dict[str, tuple[Choice, ...]]:
        """Return, for each searched hyperparameter, the values that some setting here uses.

        One that no setting here uses is fixed to its first value.
        """
        return self._values[kind]

    @cached_property
    def _values(self) -> dict[str, dict[str, tuple[Choice, ...]]]:
        return {kind: _used(MECHANISMS[kind], self.settings[kind]) for kind in self.kinds}

    @cached_property
    def placements(self) -> tuple[Placement, ...]:
        """Return every placement that may be proposed here; inactive settings only once."""
        places = [*(("residual", blocks) for blocks in self.blocks), ("stage_end", "last")]
        mechanisms = {
            tuple(_active(MECHANISMS[kind](**setting)).items()): MECHANISMS[kind](**setting)
            for kind in self.kinds
            for setting in self.settings[kind]
        }
        return tuple(
            Placement.model_validate({"attention": one, "position": position, "blocks": blocks})
            for one in mechanisms.values()
            for position, blocks in places
        )


def sample(choose: Choose, search_space: SearchSpace) -> Architecture:
    """Return an architecture drawn by `choose(name, options)`, which returns one option."""
    return search_space.architecture(
        tuple(_sample_stage(choose, stage) for stage in search_space.stages)
    )


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
    blocks = ask("blocks") if position == "residual" else "last"
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


def _proposed_settings(kind: type[Mechanism], shape: Shape) -> tuple[dict[str, Any], ...]:
    """Return the combinations of searched values that are valid and proposed on the shape."""
    combinations = (
        dict(zip(kind.searched, values, strict=True))
        for values in product(*kind.searched.values())
    )
    return tuple(one for one in combinations if _refusal(kind.model_validate(one), shape) is None)


def _used(
    kind: type[Mechanism], settings: tuple[dict[str, Any], ...]
) -> dict[str, tuple[Choice, ...]]:
    active = [_active(kind(**setting)) for setting in settings]
    return {
        name: tuple(v for v in values if any(name in one and one[name] == v for one in active))
        or values[:1]
        for name, values in kind.searched.items()
    }


def _refusal(mechanism: Mechanism, shape: Shape) -> str | None:
    return mechanism.reason_invalid(shape) or mechanism.reason_unproposed(shape)


def _active(mechanism: Mechanism) -> dict[str, Any]:
    """Return the kind and the hyperparameters that change anything."""
    dumped = mechanism.model_dump()
    return {name: value for name, value in dumped.items() if mechanism.is_active(name)}
