"""What attention ended up doing in the networks of the front, by the statistics of their gates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from ..front import Front
from ..store.gates import Statistics
from ..store.records import Evaluation


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """One module of one row of the front, over all trainings whose gates are known.

    `gain` is the size of what it changes over that of its input. `shares` are of a histogram of
    the first gate's values, of the first training.
    """

    row: int
    module: str
    num_trainings: int
    gain: float | None
    gate: str
    mean: float | None
    spread: float | None
    saturation: float | None
    shares: tuple[float, ...]


def gate_rows(
    front: Front, found: Sequence[Evaluation], gates: Mapping[int, Statistics]
) -> tuple[ModuleRow, ...]:
    """Return a row for each module of each network on the front that has attention."""
    rows = []
    for number, point in enumerate(front.rows, start=1):
        runs = [gates[one.id] for one in found if one.digest == point.digest and one.id in gates]
        modules = dict.fromkeys(name for run in runs for name in run)
        rows += [
            _row(number, name, [run[name] for run in runs if name in run]) for name in modules
        ]
    return tuple(rows)


def _row(number: int, module: str, runs: Sequence[Mapping[str, object]]) -> ModuleRow:
    first = [next(iter(_gates(run).items()), ("", {})) for run in runs]
    name, shown = first[0]
    histogram = shown.get("histogram")

    def mean(key: str) -> float | None:
        return _mean([one.get(key) for _, one in first])

    return ModuleRow(
        row=number,
        module=module,
        num_trainings=len(runs),
        gain=_mean([run.get("gain") for run in runs]),
        gate=name,
        mean=mean("mean"),
        spread=mean("spread"),
        saturation=mean("saturation"),
        shares=tuple(histogram) if isinstance(histogram, list) else (),
    )


def _gates(run: Mapping[str, object]) -> Mapping[str, Mapping[str, object]]:
    found = run["gates"]
    assert isinstance(found, dict), "stored so"
    return found


def _mean(values: Sequence[object]) -> float | None:
    """Return the mean of the finite ones: null stands for what was not finite, or not asked."""
    known = [float(one) for one in values if isinstance(one, int | float)]
    return fmean(known) if known else None
