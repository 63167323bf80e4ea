import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from math import sqrt

import pytest
from rich.console import Console

from search.reporting import (
    FORMATS,
    footer,
    front_csv,
    front_json,
    front_table,
    noise_line,
    print_front,
    run_error,
    title_of,
)
from space import Architecture, Cost, SearchSpace, baselines, plain
from studies import Evaluation, Front, Point, front_of, verdict
from studies.estimates.posterior import Estimate, Noise

MakeFront = Callable[..., Front]
MakePoint = Callable[..., Point]

PLAIN, USUAL = plain("resnet8"), baselines(SearchSpace(backbone="resnet8"))
COLUMNS = ["row", "trial", "placements", "accuracy, %", "gain, points", "n", "MACs", "params"]
KEYS = [
    *("row", "trial", "placements", "estimate", "standard_error", "gain", "gain_error"),
    *("num_evaluations", "raw_mean", "macs", "macs_over_plain", "params", "params_over_plain"),
    *("digest", "architecture"),
]


@pytest.fixture
def front(make_evaluation: Callable[..., Evaluation]) -> Front:
    """Plain twice, SE and GAM on the front, CBAM beaten, and a reference network."""
    runs = [(PLAIN, 0.90), (PLAIN, 0.904), (USUAL["se"], 0.93), (USUAL["gam"], 0.96)]
    done = [make_evaluation(*one) for one in [*runs, (USUAL["cbam"], 0.80)]]
    larger = make_evaluation(plain("resnet14"), 0.92, purpose="reference", trial=None)
    return front_of([*done, larger], "resnet8", "macs")


@pytest.fixture
def without_replicates(make_evaluation: Callable[..., Evaluation]) -> Front:
    done = [make_evaluation(PLAIN, 0.9), make_evaluation(USUAL["se"], 0.93)]
    return front_of(done, "resnet8", "macs")


def printed(front: Front) -> str:
    screen = io.StringIO()
    print_front(Console(file=screen, width=200), front, "title")
    return screen.getvalue()


def cells(front: Front) -> list[list[str]]:
    table = front_table(front, "title")
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def test_json_holds_the_rows_of_the_front(front: Front) -> None:
    found = json.loads(front_json(front))
    names = ["cost", "rows", "references", "neighbours", "noise", "num_trainings", "verdict"]
    assert list(found) == names
    assert len(found["rows"]) == len(front.rows) == 3
    for rank, (row, point) in enumerate(zip(found["rows"], front.rows, strict=True), start=1):
        known = point.estimate
        assert list(row) == KEYS
        assert (row["row"], row["trial"], row["digest"]) == (rank, point.trial, point.digest)
        assert (row["estimate"], row["standard_error"]) == (known.accuracy, known.standard_error)
        assert (row["gain"], row["gain_error"]) == (known.gain, known.gain_error)
        assert (row["num_evaluations"], row["raw_mean"]) == (known.num_evaluations, known.raw_mean)
        assert Cost(row["macs"], row["params"]) == point.cost
        assert row["macs_over_plain"] * front.plain_cost.macs == pytest.approx(point.cost.macs)
        assert row["params_over_plain"] * front.plain_cost.params == pytest.approx(row["params"])
        assert Architecture.model_validate(row["architecture"]) == point.architecture


def test_neighbours_that_cannot_be_told_apart_are_named(front: Front) -> None:
    """The bits of these runs are all alike: the paired difference says nothing of any two."""
    lines = [one for one in footer(front) if "cannot be told apart:" in one]
    assert len(lines) == len(front.rows) - 1 == 2
    assert lines[0].startswith("rows 1 and 2 cannot be told apart: the dearer one is better with")
    found = json.loads(front_json(front))["neighbours"]
    assert [(one["cheaper"], one["dearer"]) for one in found] == [(1, 2), (2, 3)]
    assert not any(one["are_told_apart"] for one in found)


def test_json_holds_references_noise_and_verdict(front: Front) -> None:
    found = json.loads(front_json(front))
    (reference,) = front.references
    assert found["references"] == [
        {
            "backbone": "resnet14",
            "accuracy": 0.92,
            "macs": reference.cost.macs,
            "params": reference.cost.params,
        }
    ]
    assert found["noise"] == {"sd": pytest.approx(sqrt(2) * 0.002), "degrees_of_freedom": 1}
    assert (found["cost"], found["num_trainings"]) == ("macs", 5)
    assert found["verdict"] == verdict(front)


@pytest.mark.parametrize("which", ["front", "without_replicates"])
def test_csv_holds_the_same_numbers_as_json(which: str, request: pytest.FixtureRequest) -> None:
    found: Front = request.getfixturevalue(which)
    rows = list(csv.DictReader(io.StringIO(front_csv(found))))
    expected = json.loads(front_json(found))["rows"]
    assert len(rows) == len(expected)
    for row, other in zip(rows, expected, strict=True):
        assert list(row) == KEYS
        assert json.loads(row.pop("architecture")) == other.pop("architecture")
        assert row == {k: "" if value is None else str(value) for k, value in other.items()}


def test_the_table_holds_the_same_numbers_as_json(front: Front) -> None:
    assert [column.header for column in front_table(front, "title").columns] == COLUMNS
    for row, other in zip(cells(front), json.loads(front_json(front))["rows"], strict=True):
        number, trial, placements, accuracy, gain, count, macs, params = row
        assert (number, trial) == (str(other["row"]), str(other["trial"]))
        assert placements == other["placements"]
        assert accuracy == f"{100 * other['estimate']:.2f} ± {100 * other['standard_error']:.2f}"
        assert count == str(other["num_evaluations"])
        if placements != "plain":
            assert gain == f"{100 * other['gain']:+.2f} ± {100 * other['gain_error']:.2f}"
        for cell, name in ((macs, "macs"), (params, "params")):
            value, unit, share = cell.replace("(", "").split(" ", maxsplit=2)
            scale = {"M": 1e6, "k": 1e3}[unit]
            assert float(value) * scale == pytest.approx(other[name], rel=0.005)
            percent = 100 * (other[f"{name}_over_plain"] - 1)
            assert float(share.split()[0]) == pytest.approx(percent, rel=0.05, abs=0.005)


def test_plain_has_no_gain_over_itself(front: Front) -> None:
    assert [row[COLUMNS.index("gain, points")] == "" for row in cells(front)] == [True] + [
        False
    ] * 2


def test_unknown_errors_are_null_and_question_marks(without_replicates: Front) -> None:
    found = json.loads(front_json(without_replicates), parse_constant=pytest.fail)
    for row in found["rows"]:
        assert row["standard_error"] is row["gain"] is row["gain_error"] is None
    assert found["noise"] is None
    assert all(row[3].endswith(" ± ?") for row in cells(without_replicates))


def test_an_empty_front_has_no_rows_in_any_format() -> None:
    empty = front_of((), "resnet8", "macs")
    assert json.loads(front_json(empty))["rows"] == []
    assert front_csv(empty) == "row"
    assert cells(empty) == []
    assert FORMATS == ("table", "json", "csv")


def test_the_screen_shows_every_row_whole_and_ends_with_the_verdict(front: Front) -> None:
    lines = printed(front).splitlines()
    for row in cells(front):
        assert any(all(cell in line for cell in row) for line in lines)
    assert lines[0].strip() == "title"
    assert lines[-len(footer(front)) :] == footer(front)
    assert footer(front)[-1] == f"verdict: {verdict(front)}"


def test_the_footer_names_the_references_with_their_cost(front: Front) -> None:
    (reference,) = front.references
    share = 100 * (reference.cost.macs / front.plain_cost.macs - 1)
    assert footer(front)[0] == (
        f"plain networks of other depths (raw, n = 1): resnet14 92.00 % for +{share:.0f} %"
    )
    assert len(footer(replace(front, references=()))) == len(footer(front)) - 1


def test_the_noise_is_told_with_what_it_cannot_resolve(front: Front) -> None:
    found = noise_line(replace(front, noise=Noise(0.003, 10)))
    resolution = 2.2281 * sqrt(2) * 0.3  # Student's t for 10 degrees of freedom
    assert found.startswith("run-to-run sd 0.30 points (10 degrees of freedom)")
    assert f"closer than {resolution:.2f} cannot" in found
    assert noise_line(replace(front, noise=None)) == "run-to-run noise: not measured yet"


def test_the_samples_title_says_it_is_a_check(front: Front) -> None:
    assert title_of(front, "mine", "cifar10") == "Pareto front of study mine on cifar10"
    assert title_of(replace(front, noise=None), "mine", "cifar10-sample") == (
        "Installation check on a few sample images (one run: unknown error): not a result"
    )
    error = run_error(front, 1_000)
    assert error is not None
    assert f"(one run: ±{error:.1f} points): not a result" in title_of(
        front, "mine", "cifar10-sample"
    )


def test_one_run_errs_by_its_noise_and_its_few_images(
    make_point: MakePoint, make_front: MakeFront
) -> None:
    level = Estimate(0.8, 0.0, 1, 0.8, 0.0, 0.0, 0.5)
    front = make_front(make_point(0.8, estimate=level), noise=Noise(0.005, 4), flips=0.00003)
    sampled = 0.8 * 0.2 / 1_000 - 0.00003  # flips are in the noise already
    assert run_error(front, 1_000) == pytest.approx(100 * 1.96 * sqrt(0.005**2 + sampled))
    certain = replace(front, flips=1.0)
    assert run_error(certain, 1_000) == pytest.approx(100 * 1.96 * 0.005)
    assert run_error(replace(front, points=()), 1_000) is None
