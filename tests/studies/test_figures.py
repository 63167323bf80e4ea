import json
from collections.abc import Callable
from dataclasses import replace
from math import isfinite, log10
from typing import Any

import pytest

from space import Cost, SearchSpace, baselines, plain
from studies import Evaluation, Front, Point, front_of, verdict
from studies.estimates.posterior import Estimate
from studies.figures import front_figure, front_marks, limit_of, reference_marks
from studies.front import Reference

MakePoint = Callable[..., Point]
MakeFront = Callable[..., Front]

PLAIN, USUAL = plain("resnet8"), baselines(SearchSpace(backbone="resnet8"))
TRIED, REFERENCES, FRONT = range(3)  # the order of the traces


@pytest.fixture
def studied(make_evaluation: Callable[..., Evaluation]) -> Front:
    """Plain twice, SE and GAM on the front, CBAM beaten by SE, and a larger plain network."""
    runs = [(PLAIN, 0.90), (PLAIN, 0.904), (USUAL["se"], 0.93), (USUAL["gam"], 0.96)]
    done = [make_evaluation(*one) for one in [*runs, (USUAL["cbam"], 0.80)]]
    larger = make_evaluation(plain("resnet14"), 0.92, purpose="reference", trial=None)
    return front_of([*done, larger], "resnet8", "macs")


def drawn(front: Front, **limits: int) -> dict[str, Any]:
    """Return the figure as the JSON that a browser gets; NaN and infinity fail."""
    text = front_figure(front, "title", limits).to_json()
    found: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    return found


def test_a_mark_stands_at_its_cost_and_percent(
    make_point: MakePoint, make_front: MakeFront
) -> None:
    row = make_point(0.925, macs=109, params=150)
    front = make_front(row)
    (by_macs,) = front_marks(front, (row,))
    (by_params,) = front_marks(replace(front, cost_name="params"), (row,))
    assert by_macs.x == pytest.approx(log10(1 + 9))
    assert by_params.x == pytest.approx(log10(1 + 50))
    assert by_macs.percent == pytest.approx(92.5)
    assert by_macs.error == pytest.approx(0.1)


def test_a_marks_label_says_what_it_is(make_point: MakePoint, make_front: MakeFront) -> None:
    known = Estimate(0.925, 0.0012, 3, 0.931, 0.02, 0.002, 0.9)
    row = make_point(
        0.925, 1_200, 130, trials=(17, 18, 19), architecture=USUAL["se"], estimate=known
    )
    (mark,) = front_marks(make_front(row, plain_cost=Cost(1_000, 100)), (row,))
    for part in (
        "<b>se r16 in stages 1, 2, 3</b>",
        "estimate 92.50 ± 0.12 %, n = 3, raw mean 93.10 %",
        "1.2 k MACs, 130 params (+20 % MACs)",
        "trial 17",
    ):
        assert part in mark.label


def test_an_unknown_error_is_drawn_as_none(
    make_point: MakePoint, make_front: MakeFront, unknown: Callable[[float], Estimate]
) -> None:
    row = make_point(0.9, estimate=unknown(0.9))
    (mark,) = front_marks(make_front(row), (row,))
    assert mark.error == 0


def test_the_line_of_plain_networks_starts_at_plain_and_leaves_the_smaller_out(
    make_point: MakePoint, make_front: MakeFront
) -> None:
    references = tuple(
        Reference(name, Cost(macs, macs), accuracy, 1)
        for name, macs, accuracy in (("s", 50, 0.85), ("l", 190, 0.92), ("xl", 1090, 0.94))
    )
    marks = reference_marks(make_front(make_point(0.9), references=references))
    assert [one.label for one in marks] == ["plain", "l", "xl"]
    assert [one.x for one in marks] == pytest.approx([0, log10(91), log10(991)])
    assert [one.percent for one in marks] == pytest.approx([90, 92, 94])


def test_without_the_plain_network_there_is_no_line(
    make_front: MakeFront,
) -> None:
    assert reference_marks(make_front()) == ()


def test_every_architecture_is_drawn_once(studied: Front) -> None:
    traces = drawn(studied)["data"]
    assert [one["name"] for one in traces] == [
        "estimate of a tried architecture",
        "deeper plain networks (raw)",
        "front ± one standard error",
    ]
    kept = front_marks(studied, studied.rows)
    beaten = tuple(one for one in studied.points if one.architecture == USUAL["cbam"])
    assert traces[FRONT]["x"] == [one.x for one in kept]
    assert traces[FRONT]["y"] == [one.percent for one in kept]
    assert traces[FRONT]["error_y"]["array"] == [one.error for one in kept]
    assert traces[TRIED]["y"] == [one.percent for one in front_marks(studied, beaten)]
    assert traces[REFERENCES]["text"] == ["plain", "resnet14"]


def test_every_number_drawn_is_finite(studied: Front) -> None:
    for trace in drawn(studied)["data"]:
        assert all(isfinite(value) for value in [*trace["x"], *trace["y"]])


def test_the_figure_carries_title_verdict_and_the_band_of_noise(studied: Front) -> None:
    layout = drawn(studied)["layout"]
    assert layout["title"]["text"] == "title"
    assert layout["title"]["subtitle"]["text"] == verdict(studied)
    (band,) = layout["shapes"]
    assert studied.noise is not None
    assert studied.plain is not None
    level, sd = 100 * studied.plain.estimate.accuracy, 100 * studied.noise.sd
    assert [band["y0"], band["y1"]] == pytest.approx([level - sd, level + sd])


def test_a_study_without_replicates_is_drawn_without_a_band(
    make_evaluation: Callable[..., Evaluation],
) -> None:
    done = [make_evaluation(PLAIN, 0.9), make_evaluation(USUAL["se"], 0.93)]
    found = drawn(front_of(done, "resnet8", "params"))
    assert "shapes" not in found["layout"]
    assert found["data"][FRONT]["error_y"]["array"] == [0, 0]
    assert found["layout"]["xaxis"]["title"]["text"].startswith("params over the plain network's")


def test_an_empty_study_is_drawn_empty() -> None:
    traces = drawn(front_of((), "resnet8", "macs"))["data"]
    assert [one["x"] for one in traces] == [[], [], []]


def test_a_budget_on_the_drawn_cost_stands_at_its_place(
    make_point: MakePoint, make_front: MakeFront
) -> None:
    front = make_front(make_point(0.9), plain_cost=Cost(1_000_000, 200_000))
    limit = limit_of(front, {"macs": 1_100_000, "params": 400_000})
    assert limit is not None
    assert limit.x == pytest.approx(log10(1 + 10))
    assert limit.label == "budget: 1.1 M MACs (+10 %)"
    other = limit_of(replace(front, cost_name="params"), {"params": 400_000})
    assert other is not None
    assert other.x == pytest.approx(log10(1 + 100))
    assert other.label == "budget: 400 k params (+100 %)"


def test_a_budget_on_the_other_cost_or_none_is_not_drawn(studied: Front) -> None:
    assert limit_of(studied, {"params": 10**9}) is None
    assert limit_of(studied, {}) is None
    assert len(drawn(studied, params=10**9)["layout"]["shapes"]) == 1  # the band of noise


def test_a_budget_is_a_line_across_the_figure(studied: Front) -> None:
    most = 2 * studied.plain_cost.macs
    layout = drawn(studied, macs=most)["layout"]
    _, line = layout["shapes"]
    assert line["x0"] == line["x1"] == pytest.approx(log10(1 + 100))
    assert (line["y0"], line["y1"], line["yref"]) == (0, 1, "y domain")
    assert layout["annotations"][-1]["text"].startswith("budget: ")
