"""Replays on a made-up grid of 27 networks: what is drawn, what is true, and what is scored."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from math import log10
from pathlib import Path

import pytest

from benchmarks.grid.grid import Grid
from benchmarks.replay import main
from benchmarks.replays.comparison import compare
from benchmarks.replays.comparison_table import lines_of
from benchmarks.replays.draws import Draws, Scale
from benchmarks.replays.ground import trusted_area
from benchmarks.replays.history import EVALUATED, POSTERIOR, RAW, TRUSTED, History
from benchmarks.replays.method import Action, Sampler
from benchmarks.replays.play import Optimism, Played, Trial, play, reachable
from benchmarks.replays.stops import stops_of
from benchmarks.replays.store import played_of
from benchmarks.replays.summary import (
    final_difference,
    mean_scores,
    time_curves,
    times_sooner,
    trial_curves,
)
from benchmarks.replays.table import AVAILABLE, METHODS
from studies import Epoch, Evaluation
from tests.benchmarks.synthetic_grid import synthetic_grid, truth

HORIZON = 14
SMALL = ("random", "tpe", "nsga2-20", "known-cost", "known-cost-stop", "random-stop")
STOPPING = ("known-cost-stop", "random-stop")


@pytest.fixture(scope="module")
def grid() -> Grid:
    return synthetic_grid(3)


@pytest.fixture(scope="module")
def scale(grid: Grid) -> Scale:
    return Scale(grid, "macs")


@pytest.fixture(scope="module")
def played(grid: Grid, scale: Scale) -> dict[str, list[Played]]:
    return {
        name: [
            play(name, METHODS[name](scale, number), Draws(grid, number), scale, HORIZON)
            for number in range(3)
        ]
        for name in SMALL
    }


class Knowing(Sampler):
    """Trains the true front, cheapest first, then the plain network for ever."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self.left = list(scale.front())

    def ask(self, history: History, wanted: str | None) -> str:  # noqa: ARG002 any method's
        return wanted or (self.left.pop(0) if self.left else self.scale.plain.name)


class Impatient(Knowing):
    """Stops each of its own trainings after the second epoch."""

    def watch(self, _: History, row: Evaluation, epochs: tuple[Epoch, ...]) -> Action:
        is_own = row.purpose == "trial" and row.id > len(self.scale.start)
        return Action.STOP if is_own and len(epochs) == 2 else Action.GO_ON


def test_no_training_of_a_network_is_drawn_twice_before_all_were(grid: Grid) -> None:
    for number in range(5):
        draws = Draws(grid, number)
        seeds = [draws.draw("se/none/gam").seed for _ in range(6)]
        assert sorted(seeds[:3]) == sorted(seeds[3:]) == [0, 1, 2]


def test_replays_differ_in_what_they_draw_and_methods_do_not(grid: Grid) -> None:
    firsts = [Draws(grid, number).draw("se/none/gam").seed for number in range(12)]
    assert set(firsts) == {0, 1, 2}
    other = Draws(grid, 3)
    other.draw("none/none/se")
    assert other.draw("se/none/gam").seed == firsts[3]


def test_the_truth_is_the_mean_of_what_was_not_drawn(grid: Grid) -> None:
    draws = Draws(grid, 0)
    accuracies = {run.seed: run.accuracy for run in grid.named["gam/gam/gam"].runs}
    assert draws.truth("gam/gam/gam") == pytest.approx(sum(accuracies.values()) / 3)
    seen = draws.draw("gam/gam/gam")
    others = [one for seed, one in accuracies.items() if seed != seen.seed]
    assert draws.truth("gam/gam/gam") == pytest.approx(sum(others) / 2)
    draws.draw("gam/gam/gam")
    draws.draw("gam/gam/gam")
    assert draws.truth("gam/gam/gam") == pytest.approx(sum(accuracies.values()) / 3)


def test_the_area_is_a_sum_of_steps_up_to_the_edge(grid: Grid, scale: Scale) -> None:
    macs = {name: one.cost.macs for name, one in grid.named.items()}
    base = macs["none/none/none"]

    def place(value: float) -> float:
        return log10(1 + 100 * (value / base - 1))

    edge = place(1.1 * macs["gam/gam/gam"])
    found = scale.area({"se/se/se": 0.76, "gam/gam/gam": 0.78, "none/se/gam": 0.70}, 0.75)
    se, gam = place(macs["se/se/se"]), place(macs["gam/gam/gam"])
    assert scale.edge == pytest.approx(edge)
    assert found == pytest.approx(0.01 * (gam - se) + 0.03 * (edge - gam))


def test_all_methods_start_alike(played: dict[str, list[Played]]) -> None:
    for number in range(3):
        starts = {
            tuple((trial.name, trial.seconds) for trial in one[number].trials[:5])
            for one in played.values()
        }
        assert len(starts) == 1
    (start, *_) = [[trial.name for trial in played["tpe"][0].trials[:5]]]
    assert start == ["none/none/none"] * 3 + ["se/se/se", "gam/gam/gam"]


def test_the_score_of_everything_trained_never_falls(played: dict[str, list[Played]]) -> None:
    for one in (one for some in played.values() for one in some):
        scores = one.scores[EVALUATED]
        assert list(scores) == sorted(scores)
        assert scores[-1] > 0


def test_no_report_scores_more_than_everything_trained(played: dict[str, list[Played]]) -> None:
    for one in (one for some in played.values() for one in some):
        for report in (POSTERIOR, RAW):
            pairs = zip(one.scores[report], one.scores[EVALUATED], strict=True)
            assert all(score <= most + 1e-12 for score, most in pairs)


def test_who_trusts_a_claim_that_is_wrong_loses_by_it(scale: Scale) -> None:
    truths = {"none/none/none": 0.5, "se/none/none": 0.52, "gam/none/none": 0.49}
    cheap, dear = scale.place("se/none/none"), scale.place("gam/none/none")
    assert 0 < cheap < dear < scale.edge
    right = {name: truths[name] for name in ("none/none/none", "se/none/none")}
    least = 0.02 * (scale.edge - cheap)
    assert trusted_area(scale, right, truths, 0.5) == pytest.approx(least)
    wrong = {**right, "gam/none/none": 0.53}
    lost = 0.03 * (scale.edge - dear)  # 0.02 not won, and 0.01 worse than plain
    assert trusted_area(scale, wrong, truths, 0.5) == pytest.approx(least - lost)
    assert trusted_area(scale, {**right, "gam/none/none": 0.51}, truths, 0.5) == pytest.approx(
        least
    )


def test_trust_wins_no_more_than_the_front_holds(played: dict[str, list[Played]]) -> None:
    for one in (one for some in played.values() for one in some):
        for report, trusted in TRUSTED.items():
            pairs = zip(one.scores[trusted], one.scores[report], strict=True)
            assert all(score <= most + 1e-12 for score, most in pairs)


def test_a_method_that_knows_the_truth_reaches_the_full_score() -> None:
    grid = synthetic_grid(3, noise=0.0)
    scale = Scale(grid, "macs")
    horizon = len(scale.start) + len(scale.front())
    knowing = play("knowing", Knowing(scale), Draws(grid, 0), scale, horizon)
    full = reachable(grid, "macs")
    assert knowing.scores[EVALUATED][-1] == knowing.scores[RAW][-1] == pytest.approx(full)
    assert knowing.scores[EVALUATED][len(scale.start) - 1] < 0.99 * full
    assert knowing.optimism[RAW].best == pytest.approx(0.0)


def test_the_true_front_rises_with_the_cost(grid: Grid, scale: Scale) -> None:
    front = scale.front()
    places, means = [scale.place(name) for name in front], [grid.named[n].mean for n in front]
    assert places == sorted(places)
    assert means == sorted(means)
    best = max(grid.entries, key=lambda one: one.mean)
    assert front[-1] == best.name
    assert truth(best.name) >= 0.75 + 0.02


def test_a_method_has_the_epochs_of_the_horizon(played: dict[str, list[Played]]) -> None:
    for name, some in played.items():
        for one in some:
            epochs = sum(trial.epochs for trial in one.trials)
            assert 6 * HORIZON <= epochs < 6 * HORIZON + 6
            assert (len(one.trials) > HORIZON) == any(trial.is_stopped for trial in one.trials)
            assert name in STOPPING or len(one.trials) == HORIZON


def test_a_stopped_training_costs_its_epochs_and_is_on_no_front(grid: Grid, scale: Scale) -> None:
    one = play("impatient", Impatient(scale), Draws(grid, 0), scale, HORIZON)
    start, front = len(scale.start), scale.front()
    stopped = one.trials[start : start + len(front)]
    own = [trial for trial in stopped if trial.name not in scale.start]
    assert own
    assert all(trial.is_stopped and trial.epochs == 2 for trial in own)
    assert all(trial.seconds == 4.0 for trial in own)
    assert one.scores[EVALUATED][-1] == one.scores[EVALUATED][start - 1]
    found = stops_of([one], front, start)
    assert found.num_front == found.num_front_stopped == len(own)
    assert found.wrong == 1.0
    assert found.full_epochs - found.epochs == 4 * len(own)


def test_the_knowing_sampler_beats_its_own_start(played: dict[str, list[Played]]) -> None:
    for one in played["known-cost"]:
        assert one.scores[EVALUATED][-1] > one.scores[EVALUATED][4]
        replicated = [trial for trial in one.trials[5:] if trial.purpose == "replicate"]
        assert len({trial.name for trial in one.trials}) + 2 + len(replicated) == HORIZON


def curve(method: str, replay: int, scores: Sequence[float], seconds: float) -> Played:
    trials = tuple(Trial("none/none/none", "trial", False, 6, seconds) for _ in scores)
    kinds = (POSTERIOR, RAW, EVALUATED, *TRUSTED.values())
    zero = {kind: Optimism(0.0, 0.0) for kind in kinds}
    return Played(method, replay, trials, dict.fromkeys(kinds, tuple(scores)), zero)


def test_sooner_is_the_ratio_of_the_trials_at_which_the_means_get_there() -> None:
    ours = [curve("known-cost", n, (0.0, 1.0, 1.5, 2.0), 3.0) for n in range(4)]
    peer = [curve("tpe", n, (0.0, 0.0, 0.5, 1.0), 3.0) for n in range(4)]
    pair = trial_curves(ours, POSTERIOR, 4), trial_curves(peer, RAW, 4)
    found = times_sooner(*pair)
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)  # 4 trials over 2
    assert times_sooner(pair[1], pair[0]).value == 0.0  # it never gets there
    lucky = trial_curves([curve("tpe", n, (0.0, 2.0, 0.5, 1.0), 3.0) for n in range(4)], RAW, 4)
    assert times_sooner(pair[0], lucky).value == 2.0  # from its 4th on it stays at its last
    assert final_difference(*pair).value == pytest.approx(1.0)


def test_scores_against_time_count_what_has_ended() -> None:
    curves = time_curves([curve("tpe", 0, (1.0, 2.0), 100.0)], RAW, 200.0)
    at = dict(zip(curves.places_T, curves.scores_RT[0], strict=True))
    assert (at[99.0], at[100.0], at[199.0], at[200.0]) == (0.0, 1.0, 1.0, 2.0)


def test_an_interval_widens_with_what_replays_differ_by() -> None:
    same = trial_curves([curve("tpe", n, (1.0,), 1.0) for n in range(6)], RAW, 1)
    apart = trial_curves([curve("tpe", n, (float(n),), 1.0) for n in range(6)], RAW, 1)
    (narrow,), (wide,) = mean_scores(same), mean_scores(apart)
    assert [narrow.low, narrow.high] == pytest.approx([1.0, 1.0])
    assert wide.low < 1.5 < wide.value < 3.5 < wide.high


def test_replays_that_are_stored_are_read_as_they_were(played: dict[str, list[Played]]) -> None:
    one = played["known-cost-stop"][1]
    assert played_of(json.loads(json.dumps(asdict(one)))) == one


def test_the_comparison_names_the_best_peer(played: dict[str, list[Played]], scale: Scale) -> None:
    found = compare(played, scale, HORIZON)
    best = found.best_peer()
    assert best is not None
    finals = [row.by_trials[-1].value for row in found.rows if row.method in ("random", "tpe")]
    assert best.by_trials[-1].value >= max(finals)
    assert {(one.ours, one.peer) for one in found.ratios} == {
        (ours, peer)
        for ours in ("known-cost", "known-cost-stop")
        for peer in ("random", "tpe", "nsga2-20")
    }
    assert any(f"against {best.method}'s" in line for line in lines_of(found, 1.0))


def test_a_grid_that_is_not_whole_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(tmp_path)]) == 2
    assert "must be complete" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("--options", "0", "invalid choice: 0"),
        ("--options", "1", "invalid choice: 1"),
        ("--backbone", "nope", "invalid choice: 'nope'"),
        ("--replays", "0", "at least 1, got 0"),
        ("--horizon", "-1", "at least 1, got -1"),
        ("--processes", "0", "at least 1, got 0"),
        ("--minutes", "0", "above 0, got 0"),
        ("--minutes", "nan", "above 0, got nan"),
        ("--minutes", "soon", "above 0, got soon"),
    ],
)
def test_other_options_are_refused_by_name(
    option: str, value: str, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([f"{option}={value}"])
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"argument {option}: " in line
    assert rule in line


@pytest.mark.parametrize("name", ["known-cost", "moasha"])
def test_every_method_that_can_be_named_is_there(name: str) -> None:
    assert name in METHODS
    assert set(AVAILABLE) <= set(METHODS)
