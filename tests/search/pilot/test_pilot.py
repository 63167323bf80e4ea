"""What a pilot plans, by speeds made by hand; and the command, with a trainer without torch."""

import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from search import session
from search.batch import trained
from search.cli import run_command
from search.config import Protocol
from search.executors import Event, Job, Lost
from search.pilot import lines
from search.pilot.networks import expected_speeds, pilot_networks
from search.pilot.plan import Pace, Training, ladder, makespan, planned, seconds_of
from search.protocol_file import read_protocol
from space import BACKBONES, Refusal, cost, digest
from tests.search.scripted import ScriptedExecutor, succeed

BASE = Protocol(
    dataset="cifar10",
    train_images=45_000,
    epochs=6,
    batch_size=128,
    learning_rate=0.2,
    averaging=0.1,
    curve_images=1_000,
)
PACE = Pace({"plain": 1000.0, "gate": 500.0}, num_workers=2, seconds=10.0)
FAKE = "tests.search.fake_trainer:train"
OPTIONS = ["--dataset", "cifar10-sample", "--backbone", "resnet8", "--device", "cpu"]
LINES = Path("protocol.pilot.jsonl")


@pytest.fixture
def pilot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the words of a pilot, in an empty folder, with a trainer without torch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "TRAINER", FAKE)
    monkeypatch.setenv("FAKE_SECONDS", "0")
    return ["pilot", "--budget", "2m", "--workers", "1", *OPTIONS]


def protocols(plan: tuple[Training, ...]) -> list[tuple[int, int]]:
    return list(dict.fromkeys((one.protocol.epochs, one.protocol.train_images) for one in plan))


@pytest.mark.parametrize(("dataset", "most"), [("cifar10", 45_000), ("cifar10-sample", 3_000)])
def test_each_step_of_the_ladder_is_longer_but_not_by_far(dataset: str, most: int) -> None:
    found = ladder(BASE.model_copy(update={"dataset": dataset}))
    steps = [(one.epochs, one.train_images) for one in found]
    assert (steps[0], steps[-1]) == ((2, 1_000), (32, most))
    assert len(set(steps)) == len(steps)
    work = [epochs * images for epochs, images in steps]
    assert all(one <= later <= 2.5 * one for one, later in pairwise(work))


def test_the_time_of_a_training_by_hand() -> None:
    """2 · 1,000 images, a third of 1,000 + 2 · 5,000 more, at 1,000 a second; 0.5 s a job."""
    assert seconds_of(ladder(BASE)[0], 1000.0) == pytest.approx(0.5 + 2 + 11 / 3)


@pytest.mark.parametrize(("backbone", "speed"), [("resnet20", 200.0), ("resnet8", 550.0)])
def test_ten_minutes_on_two_cores_compare_two_lengths(backbone: str, speed: float) -> None:
    """Of 10 minutes a twentieth is gone; the speeds are those of slow cores."""
    speeds = expected_speeds(pilot_networks(backbone), {"plain": speed})
    plan = planned(BASE.model_copy(update={"curve_images": 250}), Pace(speeds, 2, 30.0), 600.0)
    assert makespan(plan, 2) <= 0.85 * 570
    for key in protocols(plan)[:2]:
        own = [o for o in plan if (o.protocol.epochs, o.protocol.train_images) == key]
        assert len({one.network for one in own if one.index == 1}) >= 4
    assert len(protocols(plan)) >= 2


def test_where_time_is_short_the_slowest_network_goes_first_then_all_lengths_but_one() -> None:
    pace = Pace({"a": 100.0, "b": 100.0, "c": 100.0, "d": 100.0, "slow": 40.0}, num_workers=1)
    names = {"a", "b", "c", "d"}
    seen = []
    for budget in range(300, 4000, 90):
        try:
            plan = planned(BASE, pace, float(budget))
        except Refusal:
            continue
        has = {one.network for one in plan}
        assert has in (names, names | {"slow"})
        seen.append((len(has), min(2, len(protocols(plan)))))
    assert list(dict.fromkeys(seen)) == [(4, 1), (4, 2), (5, 2)]


def test_a_network_that_was_not_probed_is_expected_to_be_slower_than_its_macs_say() -> None:
    """Plain at 100 images a second: others by their MACs, gates 1.2 and non_local 1.5 times."""
    networks = pilot_networks("resnet8")
    least = cost(networks["plain"]).macs
    found = expected_speeds(networks, {"plain": 100.0, "se early": 99.0})
    assert (found["plain"], found["se early"]) == (100.0, 99.0)
    for name, factor in (("se everywhere", 1.2), ("gam late", 1.2), ("non_local", 1.5)):
        assert found[name] == pytest.approx(100 * least / cost(networks[name]).macs / factor)


def test_trainings_go_to_the_first_idle_worker() -> None:
    jobs = [Training(BASE, "plain", 0, seconds) for seconds in (3.0, 1.0, 1.0, 2.0)]
    assert makespan(jobs, 2) == 4.0  # 3 | 1 + 1 + 2
    assert makespan(jobs, 1) == 7.0
    assert makespan(jobs, 9) == 3.0


@pytest.mark.parametrize("minutes", [10, 20, 60, 240])
def test_a_plan_fits_its_budget_and_compares_lengths(minutes: int) -> None:
    plan = planned(BASE, PACE, 60.0 * minutes)
    assert makespan(plan, 2) <= 0.85 * (60 * minutes - 10)
    assert len(protocols(plan)) >= 3
    for key in protocols(plan):
        own = [o for o in plan if (o.protocol.epochs, o.protocol.train_images) == key]
        names = [one.network for one in own]
        assert names.count("plain") == names.count("gate") >= 2
        assert len({(one.network, one.index) for one in own}) == len(own)


def test_more_time_is_used_for_longer_trainings() -> None:
    longest = [max(o.seconds for o in planned(BASE, PACE, 60.0 * m)) for m in (10, 30, 90)]
    assert longest[0] < longest[1] < longest[2]


def test_time_without_end_gives_all_protocols_three_seeds() -> None:
    plan = planned(BASE, PACE, 1e9)
    assert len(plan) == len(ladder(BASE)) * 2 * 3


def test_what_can_be_left_out_comes_last() -> None:
    plan = planned(BASE, PACE, 1e9)
    first_two = [one for one in plan if one.index < 2]
    assert list(plan[: len(first_two)]) == first_two


def test_a_budget_too_short_names_the_shortest_that_works() -> None:
    slow = Pace({"plain": 100.0, "gate": 50.0}, num_workers=2, seconds=10.0)
    with pytest.raises(Refusal, match=r"--budget must be at least \d+ min .* got 60 s") as caught:
        planned(BASE, slow, 60.0)
    minutes = int(str(caught.value).split("at least ")[1].split()[0])
    assert protocols(planned(BASE, slow, 60.0 * minutes)) == [(2, 1_000)]
    with pytest.raises(Refusal):
        planned(BASE, slow, 60.0 * minutes - 60)


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
def test_the_networks_of_a_pilot_differ(backbone: str) -> None:
    networks = pilot_networks(backbone)
    assert len({digest(one) for one in networks.values()}) == len(networks) == 5
    assert networks["plain"].is_plain
    assert [bool(one) for one in networks["gam late"].stages][:-1] == [False] * (
        len(networks["plain"].stages) - 1
    )


def test_a_training_whose_worker_died_begins_again() -> None:
    def lose_the_first_attempt(job: Job) -> list[Event]:
        return succeed(job) if job.attempt > 1 else [Lost(job.id, job.attempt, "the worker died")]

    executor = ScriptedExecutor(lose_the_first_attempt, workers=2)
    wanted = planned(BASE, PACE, 1200.0)[:3]
    ended = list(trained(executor, wanted, _job, lambda _training: True))
    assert [one.training for one in ended] == list(wanted)
    assert all(one.outcome is not None for one in ended)
    assert [job.attempt for job in executor.jobs].count(2) == 3


def test_a_training_whose_worker_always_dies_is_given_up() -> None:
    executor = ScriptedExecutor(lambda job: [Lost(job.id, job.attempt, "the worker died")])
    wanted = planned(BASE, PACE, 1200.0)[:1]
    (ended,) = trained(executor, wanted, _job, lambda _training: True)
    assert (ended.outcome, ended.reason) == (None, "the worker died")
    assert len(executor.jobs) == 3


def test_what_is_lost_and_may_not_start_again_is_left_out() -> None:
    executor = ScriptedExecutor(lambda job: [Lost(job.id, job.attempt, "the worker died")])
    wanted = planned(BASE, PACE, 1200.0)[:1]
    assert list(trained(executor, wanted, _job, lambda _training: not executor.jobs)) == []
    assert len(executor.jobs) == 1


def test_what_may_not_start_is_left_out() -> None:
    executor = ScriptedExecutor(workers=2)
    wanted = planned(BASE, PACE, 1200.0)[:4]
    ended = list(trained(executor, wanted, _job, lambda one: one.network == "plain"))
    assert [one.training.network for one in ended] == ["plain", "plain"]


def _job(number: int, attempt: int, one: Training) -> Job:
    network = pilot_networks("resnet8")["plain"]
    return Job(number, attempt, network.to_json(), one.index, one.protocol, "cpu")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a pilot that the command itself has run."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(session, "TRAINER", FAKE)
        patch.setenv("FAKE_SECONDS", "0")
        assert run_command(["pilot", "--budget", "2m", "--workers", "1", *OPTIONS]) == 0
    return folder


def test_the_command_writes_a_protocol_that_run_reads(finished: Path) -> None:
    found = read_protocol(finished / "protocol.yaml")
    evidence = yaml.safe_load((finished / "protocol.yaml").read_text())["evidence"]
    chosen = evidence["rows"][evidence["chosen"]]
    assert (found["backbone"], found["dataset"]) == ("resnet8", "cifar10-sample")
    assert (found["epochs"], found["train_images"]) == (chosen["epochs"], chosen["train_images"])
    assert found["averaging"] == 0.0  # the fake trainer averages nothing
    assert len((finished / LINES).read_text().splitlines()) == 1 + evidence["num_trainings"]


def test_the_same_command_again_trains_only_what_is_missing(
    finished: Path, pilot: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (finished / LINES).read_text()
    LINES.write_text(whole[:-40])  # the last line is cut short
    assert run_command(pilot) == 0
    shown = capsys.readouterr().out
    total = len(whole.splitlines()) - 1
    assert f"{total} trainings ({total - 1} done before)" in shown
    assert shown.count(" left\n") == 1  # a line for each finished training
    seen, first = ([json.loads(o) for o in one.splitlines()] for one in (LINES.read_text(), whole))
    assert seen[:-1] == first[:-1]
    assert seen[-1]["accuracy"] == first[-1]["accuracy"]  # the same seed
    for part in ("between sd", "recommended: ", "a study of 200 trainings", "--protocol protocol"):
        assert part in shown
    written = (Path("protocol.yaml"), finished / "protocol.yaml")
    again, before = (yaml.safe_load(one.read_text())["protocol"] for one in written)
    assert again == before


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--budget", "soon"], "--budget must be a time such as 2h, 90m or 1h30m, got soon"),
        (["--budget", "3s"], "--budget must be at least"),
        (["--out", "protocol.txt"], "a file name must end in"),
        (["--workers", "0"], "--workers must be auto or 1 to 256, got 0"),
        (["--batch-size", "1"], "--batch-size: "),
        (["--dataset", "mnist"], "--dataset: "),
        (["--backbone", "vgg"], "vgg"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    pilot: list[str], capsys: pytest.CaptureFixture[str], words: list[str], rule: str
) -> None:
    assert run_command([*pilot, *words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert rule in line
    assert not LINES.exists()


def test_a_refused_pilot_leaves_no_folder(
    pilot: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["--batch-size", "1"], ["--budget", "3s"]):
        assert run_command([*pilot, "--out", "new/deep/protocol.yaml", *words]) == 2
        assert capsys.readouterr().err
        assert not Path("new").exists()


def test_trainings_of_another_pilot_are_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "protocol.pilot.jsonl"
    lines.begin(path, {"backbone": "resnet8"}, PACE)
    assert lines.read(path, {"backbone": "resnet8"}) == (PACE, ())
    with pytest.raises(Refusal, match="backbone resnet8, got resnet20; move it"):
        lines.read(path, {"backbone": "resnet20"})
    path.write_text("nothing\n")
    with pytest.raises(Refusal, match="holds no trainings of a pilot"):
        lines.read(path, {"backbone": "resnet8"})
    assert lines.read(tmp_path / "other.jsonl", {}) is None


def test_a_network_that_cannot_be_trained_ends_the_pilot(
    pilot: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_FAIL", "attention")
    assert run_command([*pilot, "--budget", "1h"]) == 2  # a twentieth of it probes every network
    assert "the speed of se " in capsys.readouterr().err


@pytest.mark.slow
def test_a_short_budget_probes_the_plain_network_only(
    pilot: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A twentieth of 100 s is 5 s, more than half of which the first probe takes."""
    monkeypatch.setenv("FAKE_PROBE_SECONDS", "3")
    assert run_command([*pilot, "--budget", "100s", "--workers", "2"]) == 0
    head = json.loads(LINES.read_text().splitlines()[0])
    speeds = head["images_per_second"]
    assert speeds == expected_speeds(pilot_networks("resnet8"), {"plain": 1000.0})
    assert "non_local" in capsys.readouterr().out


@pytest.mark.slow
def test_one_ctrl_c_ends_gently_and_the_same_command_goes_on(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "command_process.py"
    command = [sys.executable, str(script), "pilot", "--budget", "3m", "--workers", "1", *OPTIONS]

    def started(seconds: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**os.environ, "FAKE_SECONDS": seconds},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # its own group, as a terminal would signal it
        )

    process = started("0.1")
    assert process.stdout is not None
    next(line for line in process.stdout if line.endswith(" left\n"))
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "ended by Ctrl-C; the same command goes on" in output
    assert "Traceback" not in output
    kept = (tmp_path / LINES).read_text()
    again = started("0")
    output, _ = again.communicate(timeout=60)
    assert again.returncode == 0, output
    assert (tmp_path / LINES).read_text().startswith(kept)
    assert (tmp_path / "protocol.yaml").exists()


@pytest.mark.slow
def test_a_pilot_of_real_trainings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["pilot", "--budget", "3m", *OPTIONS, "--batch-size", "64"]) == 0
    document = yaml.safe_load(Path("protocol.yaml").read_text())
    assert {row["averaged"] for row in document["evidence"]["rows"]} == {True, False}
    assert all(0 < row["seed_sd"][0] < 0.5 for row in document["evidence"]["rows"])
