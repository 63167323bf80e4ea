"""Replays on a planted truth over a small whole space: luck, scale, scores and refusals."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.replays.ground import area
from benchmarks.replays.history import POSTERIOR, RAW
from benchmarks.replays.play import Played, play
from benchmarks.surrogate import main, ratios_of
from benchmarks.surrogates.frontier import frontier
from benchmarks.surrogates.luck import NUM_IMAGES, SimulatedLuck
from benchmarks.surrogates.methods import METHODS
from benchmarks.surrogates.trainings import (
    Trained,
    of_grid,
    runs_of_study,
    store_runs,
    stored_runs,
    trained,
)
from benchmarks.surrogates.whole_space import LEVEL, NOISE, Array, WholeSpace, scaled
from search.config import config_of
from search.samplers.catalogue import Catalogue, Rows
from space import MECHANISMS, Refusal, SearchSpace, cost, plain
from studies import Outcome, add_proposal, complete, create_or_open
from tests.benchmarks.synthetic_grid import synthetic_grid
from tests.search.scripted import SETTINGS

HORIZON = 24
KINDS = ("se", "eca", "gct", "bam", "gc", "triplet")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(SearchSpace(backbone="resnet8", kinds=KINDS))


@pytest.fixture(scope="module")
def planted(catalogue: Catalogue) -> Callable[[Rows], Array]:
    """Gains in steps, as a forest's: triplet first, bam in the middle, more where both are."""

    def gains(rows: Rows) -> Array:
        kinds = catalogue.encoded(rows).kinds_NS
        names = np.array(["none", *MECHANISMS])[kinds]
        first, middle = names[:, 0] == "triplet", names[:, 1] == "bam"
        found: Array = 1.0 * first + middle + (first & middle) - (names[:, 2] == "se")
        return found

    return gains


@pytest.fixture(scope="module")
def ground(catalogue: Catalogue, planted: Callable[[Rows], Array]) -> WholeSpace:
    return WholeSpace(catalogue, scaled(planted, catalogue, 2.0), HORIZON)


def replayed(ground: WholeSpace, method: str, number: int) -> Played:
    luck = SimulatedLuck(ground, number)
    return play(method, METHODS[method](ground, number), luck, ground, HORIZON)


@pytest.fixture(scope="module")
def played(ground: WholeSpace) -> dict[str, list[Played]]:
    methods = ("known-cost", "random")
    return {name: [replayed(ground, name, number) for number in range(2)] for name in methods}


def test_the_deviation_of_the_truths_is_the_ratio_times_the_noise(
    ground: WholeSpace, catalogue: Catalogue
) -> None:
    rows = catalogue.random(20_000, np.random.default_rng(7))
    assert ground.gains(rows).std() == pytest.approx(2.0 * 0.01, rel=0.02)
    assert ground.plain.accuracy == LEVEL


def test_trainings_scatter_around_the_truth_by_the_noise(ground: WholeSpace) -> None:
    luck = SimulatedLuck(ground, 0)
    drawn = np.array([luck.draw(ground.plain.name).accuracy for _ in range(600)])
    assert drawn.mean() == pytest.approx(LEVEL, abs=4 * NOISE / 600**0.5)
    assert drawn.std() == pytest.approx(NOISE, rel=4 / 1200**0.5)


def test_an_accuracy_is_the_share_of_the_images_that_are_right(ground: WholeSpace) -> None:
    run = SimulatedLuck(ground, 1).draw(ground.start[-1])
    assert len(run.correct) == NUM_IMAGES // 8 == 625
    right = np.unpackbits(np.frombuffer(run.correct, dtype=np.uint8)).sum()
    assert run.accuracy == right / NUM_IMAGES


def test_luck_depends_on_the_replay_the_network_and_the_turn_alone(ground: WholeSpace) -> None:
    one, other, third = (
        SimulatedLuck(ground, 3),
        SimulatedLuck(ground, 3),
        SimulatedLuck(ground, 4),
    )
    usual, network = ground.start[0], ground.start[-1]
    other.draw(usual)
    first, second = one.draw(network).correct, one.draw(network).correct
    assert [other.draw(network).correct, other.draw(network).correct] == [first, second]
    assert len({first, second, third.draw(network).correct}) == 3


def test_the_baselines_are_at_most_a_third_of_the_horizon(
    catalogue: Catalogue, planted: Callable[[Rows], Array]
) -> None:
    short = WholeSpace(catalogue, planted, 12)
    assert short.start[:3] == ("0/0/0",) * 3
    assert len(short.start) == 3 + 4  # of 6
    assert len(WholeSpace(catalogue, planted, HORIZON).start) == 3 + 6


def test_a_name_is_a_network_however_it_is_spelled(ground: WholeSpace) -> None:
    for name in ("0/0/0", "1/0/9", "7/30/2"):
        network = ground.network(name)
        assert ground.name_of(network.architecture) == name
        assert network.cost == cost(network.architecture)
        known = ground.assignment(name)
        assert ground.drawn(lambda key, _, known=known: known[key]) == name  # type: ignore[misc]


def test_what_the_space_does_not_propose_is_not_drawn() -> None:
    catalogue = Catalogue(SearchSpace(backbone="resnet8", kinds=("non_local",)))
    whole = WholeSpace(catalogue, lambda rows: np.zeros(len(rows)), HORIZON)
    wanted = {"stage2.attention": "non_local", "stage2.position": "pre"}  # a map of 32 x 32
    assert whole.drawn(lambda name, options: wanted.get(name, options[0])) is None


def test_the_best_front_is_found_from_a_poor_start(
    ground: WholeSpace, catalogue: Catalogue
) -> None:
    start = np.array([[0, 0, 0]])
    found = frontier(start, catalogue, ground.gains, "macs")
    gains, costs = ground.gains(found), catalogue.costs(found)["macs"]
    assert gains[-1] == pytest.approx(3 * gains[0])
    assert list(gains) == sorted(gains)
    assert list(costs) == sorted(costs)


def test_all_methods_start_alike(played: dict[str, list[Played]], ground: WholeSpace) -> None:
    for number in range(2):
        starts = {
            (tuple(t.name for t in one[number].trials[:9]), one[number].scores[RAW][8])
            for one in played.values()
        }
        assert {names for names, _ in starts} == {ground.start}
        assert len(starts) == 1


def test_the_knowing_sampler_beats_random(
    played: dict[str, list[Played]], ground: WholeSpace
) -> None:
    truths = {name: ground.network(name).accuracy for name in ground.front()}
    most = 100 * area(ground, truths, LEVEL)
    ours, theirs = (
        np.mean([one.scores[report][-1] for one in played[name]])
        for name, report in (("known-cost", POSTERIOR), ("random", RAW))
    )
    assert theirs < ours <= most


def test_a_replay_is_the_same_each_time(
    played: dict[str, list[Played]], catalogue: Catalogue, planted: Callable[[Rows], Array]
) -> None:
    anew = WholeSpace(catalogue, scaled(planted, catalogue, 2.0), HORIZON)
    assert replayed(anew, "random", 1) == played["random"][1] != played["random"][0]


def test_gains_are_over_plain_of_the_same_source() -> None:
    se = synthetic_grid(2).named["se/se/se"].architecture
    found = trained("study", [(plain("resnet8"), 0.5), (se, 0.6), (plain("resnet8"), 0.54)])
    assert [(one.architecture.is_plain, round(one.gain, 9)) for one in found] == [
        (True, 0.0),
        (False, 0.08),
    ]
    with pytest.raises(Refusal, match="the study must hold plain, got 1 others"):
        trained("study", [(se, 0.6)])


def test_a_forest_learns_what_it_is_fitted_to(catalogue: Catalogue) -> None:
    pytest.importorskip("sklearn")
    from benchmarks.surrogates.forest import Forest

    rows = catalogue.random(200, np.random.default_rng(0))
    kinds = catalogue.encoded(rows).kinds_NS[:, 1]
    bam = 1 + list(MECHANISMS).index("bam")
    networks = [
        Trained("study", catalogue.architecture(row), 0.03 * (kind == bam))
        for row, kind in zip(rows, kinds, strict=True)
    ]
    forest = Forest(catalogue, [*networks, Trained("grid", plain("resnet8"), 0.0)])
    assert set(forest.explained()) == {"all", "study"}  # one network explains nothing
    gains = forest.gains(rows)
    assert gains[kinds == bam].mean() > 0.02
    assert abs(gains[kinds != bam].mean()) < 0.005
    assert forest.explained()["study"] > 0.8
    assert forest.gains(np.array([[0, 0, 0]]))[0] == 0.0


def test_runs_are_read_as_they_were_kept(tmp_path: Path) -> None:
    runs = [(one.architecture, 0.5) for one in synthetic_grid(2).entries]
    store_runs(runs, tmp_path / "runs.csv")
    assert stored_runs(tmp_path / "runs.csv") == runs


def test_the_runs_of_a_study_are_read_without_its_references(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    study = create_or_open(url, "tried", config_of(SETTINGS).settings())
    network = plain("resnet20")
    row = add_proposal(study, network, trial=0, proposal=0, purpose="trial", seed=0)
    other = add_proposal(study, network, trial=None, proposal=1, purpose="reference", seed=1)
    complete(study, row.id, 1, Outcome(0.5, b"\xf0", 12, 34, 5.5, 678.0))
    complete(study, other.id, 1, Outcome(0.75, b"\xf0", 12, 34, 5.5, 678.0))
    assert runs_of_study(url, "resnet20") == [(network, 0.5)]
    with pytest.raises(Refusal, match="must be of resnet8, got resnet20"):
        runs_of_study(url, "resnet8")
    create_or_open(url, "other", config_of(SETTINGS).settings())
    with pytest.raises(Refusal, match="must hold one study, got other, tried"):
        runs_of_study(url, "resnet8")


def test_the_kept_study_has_plain_and_every_kind_of_the_space() -> None:
    networks = trained("study", stored_runs())
    kinds = {p.attention.kind for one in networks for s in one.architecture.stages for p in s}
    assert kinds == set(MECHANISMS)
    assert all(abs(one.gain) < 0.1 for one in networks)


def test_the_grids_networks_have_their_means() -> None:
    grid = synthetic_grid(2)
    gains = {one.architecture: one.gain for one in of_grid(grid)}
    plain_mean = grid.named["none/none/none"].mean
    for one in grid.entries:
        assert gains[one.architecture] == pytest.approx(one.mean - plain_mean)


def test_a_study_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    missing = f"sqlite:///{tmp_path}/no.db"
    with pytest.raises(Refusal):
        runs_of_study(missing, "resnet8")
    assert main(["--study", missing]) == 2
    assert main(["--folder", str(tmp_path)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "no.db" in first
    assert "must be complete" in second


@pytest.mark.slow
def test_the_command_prints_writes_and_draws_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    small = ["--options", "2", "--ratio", "1,0.5", "--horizon", "6", "--replays", "2"]
    files = {name: str(tmp_path / name) for name in ("runs", "out", "figure")}
    kept = [text for name, path in files.items() for text in (f"--{name}", path)]
    assert main([*small, "--methods", "known-cost,random", *kept]) == 0
    assert "gains 0.5 times the noise: score at truth" in capsys.readouterr().out
    found = json.loads(Path(files["out"]).read_text())
    assert [one["ratio"] for one in found["panels"]] == [1.0, 0.5]
    assert found["panels"][0]["reachable"] == pytest.approx(2 * found["panels"][1]["reachable"])
    assert len(Path(files["runs"]).read_text().splitlines()) == 2 * 2 * 2
    assert Path(files["figure"]).read_bytes().startswith(b"\x89PNG")
    assert main(["--options", "2", "--horizon", "4"]) == 2
    assert "above the 4 trainings that all methods start with" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("--ratio", "2,0", "must be numbers above 0, got 0"),
        ("--ratio", "nan", "must be numbers above 0, got nan"),
        ("--ratio", "2,,1", "must be numbers above 0, got "),
        ("--methods", "moasha", "must be among known-cost, "),
        ("--replays", "0", "at least 1, got 0"),
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


def test_a_ratio_that_is_named_twice_counts_once() -> None:
    assert ratios_of("2,1,2.0") == (2.0, 1.0)
    assert json.dumps(ratios_of("0.5")) == "[0.5]"
