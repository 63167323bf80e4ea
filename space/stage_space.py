"""What is proposed in one stage: settings, places, and every placement of both."""

from functools import cached_property
from itertools import product
from typing import Any

from .attention import MECHANISMS, Choice, Mechanism
from .backbone import Backbone
from .cost import Cost, slots_cost
from .place import POSITIONS, Blocks, Position, chosen_blocks, distinct_blocks
from .placement import Placement
from .shape import Shape
from .slot import Slot, shapes_of, slots

NONE = "none"
Setting = dict[str, Any]


class StageSpace:
    """The settings and the places proposed in one stage; only different networks are counted.

    A setting is proposed if it is on the stage's own map, and valid on every other map within the
    stage (`pre` in the first block sees the map of the stage before).
    """

    def __init__(self, backbone: Backbone, number: int, kinds: tuple[str, ...]) -> None:
        self.backbone = backbone
        self.number = number
        self.num_blocks = backbone.stages[number - 1].num_blocks
        self.shape = backbone.shapes()[number - 1]
        self.blocks = distinct_blocks(self.num_blocks)
        self.positions = tuple(one for one in POSITIONS if one != "post" or self.num_blocks > 1)
        self.settings = {kind: self._proposed_settings(MECHANISMS[kind]) for kind in kinds}
        self.kinds = tuple(kind for kind in kinds if self.settings[kind])

    @cached_property
    def parameters(self) -> dict[str, tuple[Choice, ...]]:
        """Return this stage's parameter names with their choices."""
        prefix = f"stage{self.number}"
        named: dict[str, tuple[Choice, ...]] = {
            f"{prefix}.attention": (NONE, *self.kinds),
            f"{prefix}.position": self.positions,
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

    def places(self) -> list[tuple[Position, Blocks]]:
        """Return the positions with the blocks that make different networks.

        Behind the addition of the last block is behind the stage: it is there once only.
        """
        at_end = {(self.num_blocks,)}
        return [
            (position, blocks)
            for position in self.positions
            for blocks in (self.blocks if position != "stage_end" else ("last",))
            if position != "post" or chosen_blocks(blocks, self.num_blocks) not in at_end
        ]

    @cached_property
    def placements(self) -> tuple[Placement, ...]:
        """Return every placement that may be proposed here, each network once."""
        candidates = (
            Placement(attention=attention, position=position, blocks=blocks)
            for kind in self.kinds
            for attention in (MECHANISMS[kind](**setting) for setting in self.settings[kind])
            for position, blocks in self.places()
        )
        proposed = (one for one in candidates if self.reason_unproposed(one) is None)
        return tuple({self.network(one): one for one in reversed(list(proposed))}.values())[::-1]

    def reason_unproposed(self, placement: Placement) -> str | None:
        """Return the stage, the shape and the rule by which a search leaves this out, or None."""
        kind = placement.attention.kind
        reason = self._reason_unsearched(placement)
        if reason:
            return f"{kind} in stage {self.number} is not proposed: {reason}"
        for shape in (self.shape, *shapes_of(self.backbone, placement, self.number)):
            reason = _refusal(placement.attention, shape)
            if reason:
                place = f"{placement.position} of stage {self.number}"
                return f"{kind} at {place} ({shape}) is not proposed: {reason}"
        return None

    def _reason_unsearched(self, placement: Placement) -> str | None:
        """Return what about the placement has no parameter here, or None."""
        attention = placement.attention
        if attention.kind not in self.kinds:
            return f"kinds here are {', '.join(self.kinds) or 'none'}"
        if placement.gain != "plain":
            return f"gain must be plain, got {placement.gain}"
        for name, field in type(attention).model_fields.items():
            known = attention.searched.get(name, (field.default,))
            if attention.is_active(name) and getattr(attention, name) not in known:
                listed = ", ".join(map(str, known))
                return f"{name} must be one of {listed}, got {getattr(attention, name)}"
        return None

    def network(self, placement: Placement) -> tuple[object, ...]:
        """Return what placements share that make one network here."""
        attention, blocks = placement.attention, chosen_blocks(placement.blocks, self.num_blocks)
        seen = shapes_of(self.backbone, placement, self.number)
        sizes = tuple(attention.sizes(shape) for shape in seen)
        return attention.kind, placement.position, blocks, sizes

    def slots(self, placement: Placement) -> tuple[Slot, ...]:
        """Return the modules of a network with this placement alone."""
        stages = [[placement] if n == self.number else [] for n in self.backbone.numbers()]
        return slots(self.backbone, stages)

    def cost(self, placement: Placement) -> Cost:
        """Return what the placement adds to the plain network."""
        return slots_cost(self.slots(placement))

    def _proposed_settings(self, kind: type[Mechanism]) -> tuple[Setting, ...]:
        """Return the settings of the searched values that may be proposed, each network once.

        Of two that make one network here, the one nearer to the published setting stays.
        """
        published = kind.model_validate({})
        found: dict[tuple[object, ...], Setting] = {}
        for values in product(*kind.searched.values()):
            setting = dict(zip(kind.searched, values, strict=True))
            mechanism = kind.model_validate(setting)
            if self._reason(mechanism):
                continue
            sizes = tuple(mechanism.sizes(shape) for shape in self._shapes)
            other = found.get(sizes)
            if other is None or num_changes(setting, published) < num_changes(other, published):
                found[sizes] = setting
        return tuple(found.values())

    @cached_property
    def _shapes(self) -> tuple[Shape, ...]:
        """Return every shape that some place in this stage sees."""
        seen = (
            self.backbone.shape_at(self.number, block, position)
            for block in range(1, self.num_blocks + 1)
            for position in self.positions
        )
        return tuple(dict.fromkeys(seen))

    def _reason(self, mechanism: Mechanism) -> str | None:
        invalid = (mechanism.reason_invalid(shape) for shape in self._shapes)
        return next(filter(None, invalid), None) or mechanism.reason_unproposed(self.shape)


def num_changes(setting: Setting, published: Mechanism) -> int:
    """Return how many hyperparameters differ from the published ones."""
    return sum(value != getattr(published, name) for name, value in setting.items())


def _used(kind: type[Mechanism], settings: tuple[Setting, ...]) -> dict[str, tuple[Choice, ...]]:
    active = [_active(kind.model_validate(setting)) for setting in settings]
    return {
        name: tuple(v for v in values if any(name in one and one[name] == v for one in active))
        or values[:1]
        for name, values in kind.searched.items()
    }


def _refusal(mechanism: Mechanism, shape: Shape) -> str | None:
    return mechanism.reason_invalid(shape) or mechanism.reason_unproposed(shape)


def _active(mechanism: Mechanism) -> Setting:
    """Return the kind and the hyperparameters that change anything."""
    dumped = mechanism.model_dump()
    return {name: value for name, value in dumped.items() if mechanism.is_active(name)}
