from collections.abc import Callable
from dataclasses import asdict
from math import nan

from backbones import GateStatistics, ModuleStatistics, as_plain
from search.dead_modules import Dead, dead_modules
from space import SearchSpace, baselines
from studies import Evaluation
from studies.effects.by_stage import Cell

MakeEvaluation = Callable[..., Evaluation]
USUAL = baselines(SearchSpace(backbone="resnet20"))
ALIVE = ModuleStatistics(0.5, {"channel": GateStatistics("vector", 0.5, 0.1, 0.0)})
IDLE = ModuleStatistics(0.0001, {"channel": GateStatistics("vector", 0.5, 0.1, 0.0)})
CONSTANT = ModuleStatistics(0.5, {"channel": GateStatistics("vector", 0.5, 1e-6, 0.0)})
BROKEN = ModuleStatistics(nan, {"channel": GateStatistics("vector", nan, nan, nan)})


def stored(**modules: ModuleStatistics) -> dict[str, dict[str, object]]:
    """Return them as a study stores them; `s2b1` names the first block of the second stage."""
    names = {f"stage{name[1]}.block{name[3]}.residual.0": one for name, one in modules.items()}
    return as_plain(names)


def test_they_are_counted_by_mechanism_and_stage(make_evaluation: MakeEvaluation) -> None:
    runs = [make_evaluation(USUAL[kind], 0.9) for kind in ("se", "se", "cbam")]
    kept = [
        stored(s1b1=ALIVE, s2b1=IDLE, s2b2=IDLE),
        stored(s1b1=ALIVE, s2b1=ALIVE, s2b2=CONSTANT),
        stored(s2b1=ALIVE),
    ]
    found = dead_modules(runs, {one.id: gates for one, gates in zip(runs, kept, strict=True)})
    assert {one.cell: (one.num_dead, one.num_trainings) for one in found} == {
        Cell(2, "se"): (2, 2),
        Cell(1, "se"): (0, 2),
        Cell(2, "cbam"): (0, 1),
    }
    worst = found[0]
    assert (worst.cell, worst.num_dead_modules, worst.num_modules) == (Cell(2, "se"), 3, 4)
    assert worst.reason == "it changes its input by 0.0001 of its size, less than 0.001"
    assert {one.reason for one in found[1:]} == {""}


def test_the_reason_is_that_of_the_module(make_evaluation: MakeEvaluation) -> None:
    run = make_evaluation(USUAL["se"], 0.9)
    for module, part in ((CONSTANT, "does not depend on the input"), (BROKEN, "not finite")):
        (found,) = dead_modules([run], {run.id: stored(s3b1=module)})
        assert part in found.reason


def test_trainings_without_statistics_count_for_nothing(make_evaluation: MakeEvaluation) -> None:
    runs = [make_evaluation(USUAL["se"], 0.9) for _ in range(2)]
    assert dead_modules(runs, {}) == ()
    (found,) = dead_modules(runs, {runs[1].id: stored(s1b1=ALIVE)})
    assert found == Dead(Cell(1, "se"), 0, 1, 0, 1, "")


def test_every_gate_of_a_trained_network_is_read_back(make_evaluation: MakeEvaluation) -> None:
    """Histograms and all: a null is what was not finite."""
    full = GateStatistics("rows", 0.1, 0.2, 0.3, 0.4, 0.5, (0.5, 0.5))
    assert None not in asdict(full).values()
    run = make_evaluation(USUAL["non_local"], 0.9)
    kept = as_plain({"stage2.end.0": ModuleStatistics(0.4, {"attention": full})})
    (found,) = dead_modules([run], {run.id: kept})
    assert found == Dead(Cell(2, "non_local"), 0, 1, 0, 1, "")
