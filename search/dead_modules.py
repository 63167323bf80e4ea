"""Attention that ended its trainings without effect, by mechanism and stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

from studies import Evaluation
from studies.effects.by_stage import Cell
from studies.store.gates import Statistics

if TYPE_CHECKING:
    from backbones import ModuleStatistics


@dataclass(frozen=True, slots=True)
class Dead:
    """How often the modules of a mechanism in a stage ended without effect, and why."""

    cell: Cell
    num_dead: int  # trainings with such a module
    num_trainings: int  # whose statistics are known
    num_dead_modules: int
    num_modules: int
    reason: str  # of the first; empty if there is none


@dataclass(frozen=True, slots=True)
class _Seen:
    """One module after one training."""

    evaluation: int
    reason: str | None


def dead_modules(done: Sequence[Evaluation], gates: Mapping[int, Statistics]) -> tuple[Dead, ...]:
    """Return what is known of every mechanism in every stage, those that ended dead first.

    Importing torch takes seconds: only where a study has statistics.
    """
    seen: dict[Cell, list[_Seen]] = {}
    for one in done:
        for module, statistics in gates.get(one.id, {}).items():
            cell = _cell(one, module)
            seen.setdefault(cell, []).append(_Seen(one.id, _reason(statistics)))
    rows = (_dead(cell, found) for cell, found in seen.items())
    return tuple(sorted(rows, key=lambda row: (-row.num_dead / row.num_trainings, row.cell.stage)))


def _cell(evaluation: Evaluation, module: str) -> Cell:
    """Return the cell of a module such as `stage2.block1.residual.0`.

    A study places one mechanism at most in a stage.
    """
    number = int(module.partition(".")[0].removeprefix("stage"))
    return Cell(number, evaluation.architecture.stages[number - 1][0].attention.kind)


def _dead(cell: Cell, seen: Sequence[_Seen]) -> Dead:
    dead = [(one.evaluation, one.reason) for one in seen if one.reason is not None]
    return Dead(
        cell,
        num_dead=len({number for number, _ in dead}),
        num_trainings=len({one.evaluation for one in seen}),
        num_dead_modules=len(dead),
        num_modules=len(seen),
        reason=dead[0][1] if dead else "",
    )


def _reason(stored: Mapping[str, Any]) -> str | None:
    from backbones import reason_dead

    return reason_dead(_statistics(stored))


def _statistics(stored: Mapping[str, Any]) -> "ModuleStatistics":
    """Return the facts again, histograms aside: null stands for what was not finite."""
    from backbones import GateStatistics, ModuleStatistics

    gates = {
        name: GateStatistics(**{key: _value(one[key]) for key in one if key != "histogram"})
        for name, one in stored["gates"].items()
    }
    return ModuleStatistics(_value(stored["gain"]), gates)


def _value(stored: Any) -> Any:  # noqa: ANN401 # a gate's form is a word, the rest are numbers
    return nan if stored is None else stored
