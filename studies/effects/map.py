"""The effects as facts of a map, stage by mechanism: what each tile shows, and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from space import MECHANISMS, Cost, share_in_words

from ..verdicts import NAMES
from .by_stage import Cell, Effect, Effects, distinguishable
from .words import counted, in_points, name

Certainty = Literal["sure", "alone", "open"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One cell of the map that was trained: where, how many points, how sure, and its words."""

    cell: Cell
    points: float
    certainty: Certainty
    text: str
    label: str  # what hovering shows


@dataclass(frozen=True, slots=True)
class EffectMap:
    """Everything that is drawn; rows from the top."""

    kinds: tuple[str, ...]
    num_stages: int
    tiles: tuple[Tile, ...]
    untried: tuple[Cell, ...]


def effect_map(effects: Effects, num_stages: int, plain_cost: Cost) -> EffectMap:
    """Return the facts of the heat map; mechanisms in the order of their table."""
    sure = distinguishable(effects)
    named = {one.cell.kind for one in effects.known} | {one.kind for one in effects.untried}
    tiles = tuple(_tile(one, certainty(one, sure), plain_cost) for one in effects.known)
    kinds = tuple(kind for kind in MECHANISMS if kind in named)
    return EffectMap(kinds, num_stages, tiles, effects.untried)


def certainty(effect: Effect, sure: Sequence[Effect]) -> Certainty:
    """Say whether an effect differs from zero with all others, alone, or not at all."""
    if effect in sure:
        return "sure"
    return "open" if effect.includes_zero else "alone"


def cost_words(effect: Effect, cost_name: str, plain_cost: Cost) -> str:
    """Return what a placement adds, as `+0.02 %` or `+0.02 to +1.3 %`."""
    start = plain_cost[cost_name]
    ends = [share_in_words(start + one[cost_name], start) for one in (effect.least, effect.most)]
    return ends[1] if ends[0] == ends[1] else f"{ends[0].removesuffix(' %')} to {ends[1]}"


def _tile(effect: Effect, sureness: Certainty, plain_cost: Cost) -> Tile:
    value, trainings = in_points(effect.mean, effect.standard_error), effect.num_trainings
    shown = {"sure": f"<b>{value} ★</b>", "alone": value, "open": f"({value})"}[sureness]
    added = [f"{cost_words(effect, key, plain_cost)} {words}" for key, words in NAMES.items()]
    label = (
        f"<b>{name(effect.cell)}</b><br>{value} points, 95 % interval "
        f"{100 * effect.low:+.2f} to {100 * effect.high:+.2f}<br>"
        f"{counted(trainings, 'training')} of {counted(effect.num_networks, 'network')}<br>"
        f"adds {', '.join(added)}"
    )
    points = 100 * effect.mean
    return Tile(effect.cell, points, sureness, f"{shown}<br>n {trainings}", label)
