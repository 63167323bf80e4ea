"""Links, predictions and verdicts by hand."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import atan, pi, sqrt

import numpy as np
import pytest

from search.rungs import Level, Verdict, judged, level_at, may_stop, rungs, should_stop
from space import Architecture, Cost, SearchSpace, baselines, digest, plain
from studies import Epoch, Evaluation, Front, Point
from studies.estimates.link import SIGNALS, Curve, Link, finished_curves, link, predicted
from studies.estimates.posterior import Estimate
from studies.store.records import Purpose

SE = baselines(SearchSpace(backbone="resnet8"))["se"]
SHOWN = [0.50, 0.52, 0.47, 0.55, 0.60, 0.58, 0.44, 0.51, 0.49, 0.57, 0.53, 0.46, 0.59]
ENDED = [0.70, 0.73, 0.68, 0.74, 0.79, 0.75, 0.66, 0.71, 0.69, 0.76, 0.71, 0.69, 0.76]
WEIGHTS = [1.0, 1, 10, 1, 1, 1, 10, 1, 1, 1, 1, 10, 1]


def epochs(*accuracies: float) -> list[Epoch]:
    return [Epoch(n, 2.0 / n, 3.0 / n, one, 1.0) for n, one in enumerate(accuracies, start=1)]


def curves(
    shown: Sequence[float] = SHOWN,
    ended: Sequence[float] = ENDED,
    weights: Sequence[float] | None = None,
) -> list[Curve]:
    rows = zip(shown, ended, weights or [1.0] * len(shown), strict=True)
    return [Curve(epochs(early, end), end, weight) for early, end, weight in rows]


def fitted(finished: Sequence[Curve]) -> Link:
    found = link(finished, 1)
    assert found is not None
    return found


def identity(residual_sd: float = 0.03, degrees_of_freedom: float = 1.0) -> Link:
    """Return the link that expects the end to be what the first epoch shows."""
    parts = np.array([0.0, 1.0]), np.zeros((2, 2))
    return Link(1, ("accuracy",), *parts, residual_sd, degrees_of_freedom)


@pytest.mark.parametrize(
    ("num_epochs", "expected"),
    [(1, ()), (5, ()), (6, (1, 2)), (8, (1, 3)), (9, (1, 3)), (18, (2, 6)), (200, (22, 67))],
)
def test_rungs_are_at_a_ninth_and_a_third_of_the_epochs(
    num_epochs: int, expected: tuple[int, ...]
) -> None:
    assert rungs(num_epochs) == expected


def test_the_signals_are_what_their_names_say() -> None:
    so_far = [Epoch(1, 2.0, 1.9, 0.3, 1.0), Epoch(2, 1.5, 1.25, 0.45, 1.0)]
    found = {name: signal(so_far) for name, signal in SIGNALS.items()}
    assert found == {"accuracy": 0.45, "validation_loss": 1.25, "train_loss_sum": 3.5}


def test_training_losses_join_where_they_differ_and_are_left_where_they_do_not() -> None:
    """Here a training's first loss says exactly what its accuracy leaves open."""
    told = [
        replace(one, epochs=[replace(one.epochs[0], train_loss=3 - one.accuracy)])
        for one in curves()
    ]
    assert fitted(curves()).signals == ("accuracy",)
    assert fitted(told).signals == ("accuracy", "train_loss_sum")
    assert fitted(told).residual_sd < 0.01 * fitted(curves()).residual_sd
    unknown = [replace(told[0], epochs=[replace(told[0].epochs[0], train_loss=float("nan"))])]
    assert fitted([*unknown, *told[1:]]).signals == ("accuracy",)


def test_equal_weights_give_the_textbooks_line_and_prediction() -> None:
    """ŷ ± s √(1 + 1/n + (x − x̄)² / Sxx), with n − 2 degrees of freedom."""
    num, x, y = len(SHOWN), SHOWN, ENDED
    mean_x, mean_y = sum(x) / num, sum(y) / num
    across = sum((one - mean_x) ** 2 for one in x)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / across
    residuals = [b - mean_y - slope * (a - mean_x) for a, b in zip(x, y, strict=True)]
    sd = sqrt(sum(one**2 for one in residuals) / (num - 2))
    for at in (0.3, 0.52):
        found = predicted(fitted(curves()), epochs(at))
        assert found.accuracy == pytest.approx(mean_y + slope * (at - mean_x))
        assert found.sd == pytest.approx(sd * sqrt(1 + 1 / num + (at - mean_x) ** 2 / across))
        assert found.degrees_of_freedom == pytest.approx(num - 2)


def test_a_weight_moves_the_line_as_so_many_equal_trainings_would() -> None:
    copies = [one for one in curves(weights=WEIGHTS) for _ in range(int(one.weight))]
    alone = [Curve(one.epochs, one.accuracy) for one in copies]
    weighted, repeated = fitted(curves(weights=WEIGHTS)), fitted(alone)
    assert weighted.coefficients == pytest.approx(repeated.coefficients)
    assert weighted.degrees_of_freedom < len(SHOWN) - 2 < repeated.degrees_of_freedom


def test_weights_give_the_error_that_the_quadratic_form_has() -> None:
    """The same by whole matrices: Q = W − WX (X'WX)⁻¹ X'W; β = A y has the covariance A A'."""
    x = np.column_stack([np.ones(len(SHOWN)), SHOWN])
    weights = np.diag(WEIGHTS)
    onto = np.linalg.solve(x.T @ weights @ x, x.T @ weights)
    form = weights - weights @ x @ onto
    found = fitted(curves(weights=WEIGHTS))
    y = np.array(ENDED)
    assert found.residual_sd**2 == pytest.approx(y @ form @ y / np.trace(form))
    assert found.covariance == pytest.approx(onto @ onto.T)
    assert found.degrees_of_freedom == pytest.approx(np.trace(form) ** 2 / np.trace(form @ form))


def test_audits_undo_what_stopping_has_left_out() -> None:
    """Ends bend down below 0.5, where nine of ten are stopped: weights see the bend as all do."""
    shown = np.linspace(0.4, 0.6, 200)
    ended = 0.7 + np.minimum(shown - 0.5, 0) * 2
    everyone = [Curve(epochs(a), b) for a, b in zip(shown, ended, strict=True)]
    low = [one for one in everyone if one.epochs[0].accuracy < 0.5]
    high = everyone[len(low) :]
    audited = [Curve(one.epochs, one.accuracy, 10.0) for one in low[4::10]]
    unweighted = [Curve(one.epochs, one.accuracy) for one in audited]
    truth, weighted, biased = (
        fitted(some).coefficients[1]
        for some in (everyone, [*audited, *high], [*unweighted, *high])
    )
    assert weighted == pytest.approx(truth, rel=0.02)
    assert abs(biased - truth) > 0.2 * truth


def test_a_prediction_far_from_what_was_seen_is_less_sure() -> None:
    found = fitted(curves())
    widths = [predicted(found, epochs(at)).sd for at in (0.53, 0.4, 0.2)]
    assert widths == sorted(widths)
    assert widths[2] > 1.5 * widths[0]


def test_several_signals_enter_together() -> None:
    """y = 0.2 + 0.5 accuracy − 0.1 loss, exactly."""
    pairs = [(0.5 + 0.01 * n, 1.0 + 0.03 * (n * n % 7)) for n in range(14)]
    finished = [
        Curve([Epoch(1, 1.0, loss, shown, 1.0)], 0.2 + 0.5 * shown - 0.1 * loss)
        for shown, loss in pairs
    ]
    found = link(finished, 1, ("accuracy", "validation_loss"))
    assert found is not None
    assert found.coefficients == pytest.approx([0.2, 0.5, -0.1])
    assert found.degrees_of_freedom == pytest.approx(11)


def test_only_the_curve_up_to_the_rung_is_looked_at() -> None:
    long = [Curve([*one.epochs, *epochs(0.1, 0.2, 0.3)[2:]], one.accuracy) for one in curves()]
    assert fitted(long).coefficients == pytest.approx(fitted(curves()).coefficients)
    assert link(curves(), 3) is None  # none of them has come so far


def test_nothing_is_said_before_twelve_have_finished() -> None:
    level = Level(0.99, 0.001)
    assert should_stop(curves()[:11], epochs(0.1), level) is None
    found = should_stop(curves()[:12], epochs(0.1), level)
    assert found is not None
    assert found.stops


def test_nothing_is_said_where_all_look_alike() -> None:
    assert link(curves(shown=[0.5] * 13), 1) is None


def test_nothing_is_said_without_a_level() -> None:
    assert should_stop(curves(), epochs(0.1), None) is None


def test_the_probability_has_both_errors_and_students_tails() -> None:
    """Errors of 3 and 4 points are 5 together; one degree of freedom is Cauchy's distribution."""
    found = judged(identity(0.03), epochs(0.70), Level(0.75, 0.04))
    assert found.probability == pytest.approx(0.5 + atan(-1) / pi)
    assert found.probability == pytest.approx(0.25)
    assert not found.stops


def test_more_noise_keeps_more() -> None:
    level = Level(0.75, 0.004)
    by_run = [judged(identity(sd, 20), epochs(0.7), level).probability for sd in (0.01, 0.02, 0.1)]
    by_front = [
        judged(identity(0.01, 20), epochs(0.7), Level(0.75, error)).probability
        for error in (0.004, 0.02, 0.1)
    ]
    for found in (by_run, by_front):
        assert found == sorted(found)
        assert found[0] < 0.001
        assert found[-1] > 0.25


def test_without_any_error_the_higher_one_wins() -> None:
    exact = identity(0.0)
    assert judged(exact, epochs(0.76), Level(0.75, 0.0)).probability == 1
    assert judged(exact, epochs(0.74), Level(0.75, 0.0)).stops


def test_a_cheaper_network_needs_less_to_survive(
    make_front: Callable[..., Front], make_point: Callable[..., Point]
) -> None:
    front = make_front(make_point(0.70, 100), make_point(0.74, 150), make_point(0.78, 300))
    probabilities = []
    for macs in (100, 149, 150, 200, 300, 1000):
        level = level_at(front, Cost(macs, 1))
        assert level is not None
        probabilities.append(judged(identity(0.02, 10), epochs(0.72), level).probability)
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(set(probabilities)) == 3
    assert [one < 0.05 for one in probabilities] == [False] * 4 + [True] * 2


def test_the_level_is_the_fronts_at_no_more_than_the_cost(
    make_front: Callable[..., Front], make_point: Callable[..., Point]
) -> None:
    rows = (make_point(0.70, 100, 300), make_point(0.74, 150, 200))
    assert level_at(make_front(*rows), Cost(149, 999)) == Level(0.70, 0.001)
    assert level_at(make_front(*rows), Cost(150, 1)) == Level(0.74, 0.001)
    assert level_at(make_front(*rows, cost_name="params"), Cost(1, 250)) == Level(0.74, 0.001)
    assert level_at(make_front(*rows), Cost(99, 999)) is None


def test_there_is_no_level_while_the_noise_is_unknown(
    make_front: Callable[..., Front],
    make_point: Callable[..., Point],
    unknown: Callable[[float], Estimate],
) -> None:
    front = make_front(make_point(0.7, 100, estimate=unknown(0.7)))
    assert level_at(front, Cost(200, 1)) is None


@pytest.mark.parametrize(
    ("architecture", "purpose", "spared", "expected"),
    [
        (SE, "trial", frozenset(), True),
        (SE, "trial", frozenset({digest(SE)}), False),
        (SE, "replicate", frozenset(), False),
        (SE, "audit", frozenset(), False),
        (SE, "reference", frozenset(), False),
        (plain("resnet8"), "trial", frozenset(), False),
    ],
)
def test_only_the_samplers_own_trainings_may_be_stopped(
    architecture: Architecture,
    purpose: Purpose,
    spared: frozenset[str],
    expected: bool,
    make_evaluation: Callable[..., Evaluation],
) -> None:
    row = make_evaluation(architecture, 0.7, purpose=purpose, state="running")
    assert may_stop(row, spared) == expected


def test_an_audit_stands_for_those_that_were_stopped(
    make_evaluation: Callable[..., Evaluation],
) -> None:
    rows = [
        make_evaluation(SE, 0.7),
        make_evaluation(SE, 0.6, purpose="audit"),
        make_evaluation(SE, 0.8, purpose="reference"),
        replace(make_evaluation(SE, 0.5, state="stopped"), accuracy=None),
    ]
    recorded = {one.id: epochs(0.1) for one in rows}
    found = finished_curves(rows, recorded, 0.1)
    assert [(one.accuracy, one.weight) for one in found] == [(0.7, 1.0), (0.6, 10.0)]
    assert finished_curves(rows, {}, 0.1) == ()  # an older version stored no epochs


def test_the_reason_names_the_epoch_the_prediction_and_the_probability() -> None:
    found = judged(identity(0.01, 50), epochs(0.7), Level(0.72, 0.0))
    assert isinstance(found, Verdict)
    percent = f"{100 * found.probability:.1f} %"
    assert found.reason == (
        f"after epoch 1: 70.00 ± 1.00 % expected, a {percent} chance to pass the front's 72.00 %"
    )
    hopeless = judged(identity(0.001, 50), epochs(0.6), Level(0.72, 0.0))
    assert "expected, less than 0.1 % chance to pass" in hopeless.reason
