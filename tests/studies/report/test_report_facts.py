"""What the page's parts are drawn from: choices, curves, gates, counts."""

from typing import Any

import pytest

from space import plain
from studies import Epoch
from studies.report import ReportFacts
from studies.report.choices import NOTHING, choices
from studies.report.gates import gate_rows
from studies.report.learning import learning
from tests.conftest import MakeEvaluation, MakeFront, MakePoint

PLAIN = plain("resnet8")
CURVE = [Epoch(1, 1.0, 1.0, 0.5, 1.0), Epoch(2, 1.0, 1.0, 0.75, 1.0)]


def test_choices_hold_every_network_and_those_of_the_front_come_last(facts: ReportFacts) -> None:
    found = choices(facts.front)
    assert len(found.lines) == len(facts.front.points) == 8  # se or nothing in three stages
    assert found.options == (NOTHING, "se")
    num_rows = len(facts.front.rows)
    assert [line.is_on_front for line in found.lines[-num_rows:]] == [True] * num_rows
    assert not any(line.is_on_front for line in found.lines[:-num_rows])
    own = next(line for line in found.lines if line.words == "plain")
    assert (own.kinds, own.place) == ((NOTHING,) * 3, 0.0)


def test_two_mechanisms_in_a_stage_are_an_option_of_their_own(
    make_point: MakePoint, make_front: MakeFront
) -> None:
    both = [{"attention": {"kind": kind}, "position": "post"} for kind in ("se", "eca")]
    data = {**PLAIN.model_dump(), "stages": [both, [], []]}
    point = make_point(0.9, architecture=type(PLAIN).model_validate(data))
    found = choices(make_front(point))
    assert found.options == (NOTHING, "se+eca")
    assert found.lines[0].kinds == ("se+eca", NOTHING, NOTHING)


def test_curves_are_told_apart_by_their_fate(
    make_evaluation: MakeEvaluation, make_point: MakePoint, make_front: MakeFront
) -> None:
    front = make_front(make_point(0.9, digest="best"))
    runs = [
        make_evaluation(PLAIN, 0.75, digest="best"),
        make_evaluation(PLAIN, 0.75, digest="best", state="stopped"),
        make_evaluation(PLAIN, 0.75, digest="other"),
        make_evaluation(PLAIN, 0.75, digest="other", purpose="reference"),
        make_evaluation(PLAIN, 0.75, digest="other", state="failed"),
        make_evaluation(PLAIN, 0.75, digest="none"),
    ]
    curves = {one.id: CURVE for one in runs[:-1]}
    found = learning(front, runs, curves)
    assert [(one.fate, one.row) for one in found] == [
        ("front", 1),
        ("stopped", None),
        ("other", None),
    ]
    assert found[0].percents == (50.0, 75.0)


def test_gates_are_means_over_the_trainings_of_a_row(
    make_evaluation: MakeEvaluation, make_point: MakePoint, make_front: MakeFront
) -> None:
    front = make_front(make_point(0.9, digest="best"))
    runs = [make_evaluation(PLAIN, 0.9, digest=name) for name in ("best", "best", "other")]
    gates = {
        one.id: {
            "stage1.block1.residual.0": {
                "gain": gain,
                "gates": {"channel": {"mean": gain, "spread": None, "histogram": [0.5, 0.5]}},
            }
        }
        for one, gain in zip(runs, (0.2, 0.4, 9.0), strict=True)
    }
    (row,) = gate_rows(front, runs, gates)
    assert (row.row, row.module, row.num_trainings) == (1, "stage1.block1.residual.0", 2)
    assert row.gain == pytest.approx(0.3)
    assert (row.gate, row.spread, row.saturation, row.shares) == (
        "channel",
        None,
        None,
        (0.5, 0.5),
    )


def test_a_module_without_gates_has_a_row(
    make_evaluation: MakeEvaluation, make_point: MakePoint, make_front: MakeFront
) -> None:
    run = make_evaluation(PLAIN, 0.9, digest="best")
    gates: dict[int, dict[str, dict[str, Any]]] = {
        run.id: {"stage1.end.0": {"gain": None, "gates": {}}}
    }
    (row,) = gate_rows(make_front(make_point(0.9, digest="best")), [run], gates)
    assert (row.gain, row.gate, row.shares) == (None, "", ())


def test_trainings_are_counted_and_their_seconds_added(facts: ReportFacts) -> None:
    assert dict(facts.spent.states) == {("trial", "complete"): 10}
    assert facts.spent.seconds == 30.0
    assert (facts.spent.num_halved, facts.spent.extras) == (0, {})
    assert len(facts.curves) == len(facts.progress) == 10
