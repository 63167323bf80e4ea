"""What `search bench` says: derived numbers by hand, the tables, JSON, and mistakes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table

from search import rounds
from search.bench_table import as_json, backbones_table, closing, mechanisms_table, opening
from search.cli import run_command
from search.config import StudyConfig, config_of
from search.defaults import with_defaults
from search.speeds import Machine, Speeds, Study, Timing, study_of
from space import MECHANISMS, SearchSpace, baselines, cost, plain

USUAL = baselines(SearchSpace(backbone="resnet20"))
PLAIN = plain("resnet20")
MACHINE = Machine("cpu", "Slow 1", 2, "float32", "2.11")
COMMAND = "search run --trials 200"


@pytest.fixture
def speeds() -> Speeds:
    """Return a machine whose plain step of 32 images takes 0.2 s, and at batch 128 1.0 s."""
    base = Timing("resnet20", PLAIN, 32, (0.2, 0.1, 0.4))
    return Speeds(
        MACHINE,
        1e11,
        (Timing("resnet20", PLAIN, 128, (1.0, 0.9, 1.1)),),
        base,
        (
            Timing("lka", USUAL["lka"], 32, (0.6, 0.4, 1.0)),
            Timing("se", USUAL["se"], 32, (0.22, 0.12, 0.4)),
        ),
        (
            Timing("random 1", USUAL["se"], 32, (0.2, 0.1, 0.4)),
            Timing("random 2", USUAL["lka"], 32, (0.4, 0.2, 0.8)),
        ),
        (),
    )


@pytest.fixture
def config() -> StudyConfig:
    return config_of(with_defaults({}, "cpu", "float32"))


def studied(speeds: Speeds, config: StudyConfig, num_workers: int | None = None) -> Study:
    return study_of(speeds, config, 200, num_workers=num_workers, command=COMMAND)


def on_screen(table: Table) -> str:
    console = Console(file=StringIO(), width=118)
    console.print(table)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_images_per_second_are_of_the_median_round(speeds: Speeds) -> None:
    assert speeds.plain.images_per_second == pytest.approx(32 / 0.2)


def test_a_ratio_is_of_one_round_and_then_the_median(speeds: Speeds) -> None:
    lka, se = speeds.mechanisms
    assert lka.ratio(speeds.plain) == pytest.approx(0.6 / 0.2)  # of 3.0, 4.0, 2.5
    assert se.ratio(speeds.plain) == pytest.approx(0.22 / 0.2)  # of 1.1, 1.2, 1.0


def test_the_share_is_six_flop_for_each_mac_over_the_matrix_rate(speeds: Speeds) -> None:
    (one,) = speeds.backbones
    assert speeds.share(one) == pytest.approx(6 * cost(PLAIN).macs * 128 / 1.0 / 1e11)
    fast = replace(speeds, matrix_rate=1e9)
    assert fast.share(one) == pytest.approx(100 * speeds.share(one))  # above 1, and shown so


def test_the_mean_ratio_has_its_error_over_the_architectures(speeds: Speeds) -> None:
    found = speeds.mean_ratio()
    assert found.mean == pytest.approx((1 + 2) / 2)
    assert found.error == pytest.approx(0.5)  # sd of 1 and 2 is 1/√2; over √2
    assert found.num_architectures == 2


@pytest.mark.parametrize(("wanted", "shown", "at_once"), [(None, 2, 2), (1, 1, 1), (8, 8, 2)])
def test_a_study_takes_its_trials_and_its_references(
    wanted: int | None, shown: int, at_once: int, speeds: Speeds, config: StudyConfig
) -> None:
    study = studied(speeds, config, wanted)
    epoch = (45_000 + 5_000 / 3) / 128  # seconds of plain resnet20: 128 images/s
    others = ("resnet14", "resnet32", "resnet44")
    references = sum(cost(plain(name)).macs for name in others) / cost(PLAIN).macs
    assert study.num_workers == shown
    assert study.seconds == pytest.approx((200 * 1.5 + references) * 6 * epoch / at_once)


def test_the_screen_shows_plain_and_the_mechanisms_the_quickest_first(speeds: Speeds) -> None:
    shown = on_screen(mechanisms_table(speeds))
    rows = re.findall(r"│ (\S+).*?(\d\.\d\d)x.* (\d+) % │", shown)
    assert [(name, ratio) for name, ratio, _ in rows] == [
        ("plain", "1.00"),
        ("se", "1.10"),
        ("lka", "3.00"),
    ]
    assert "batch 32: medians of n = 3" in shown
    macs = cost(PLAIN).macs  # 40.6 M: 6 x 40.6 M x 128 images/s are 31 of 100 GFLOP/s
    assert f"{6 * macs * 128 / 1e9:.0f} %" in on_screen(backbones_table(speeds))


def test_the_lines_name_the_machine_the_share_and_the_study(
    speeds: Speeds, config: StudyConfig
) -> None:
    assert "Slow 1, 2 cores" in opening(speeds)
    assert "100 GFLOP/s" in opening(speeds)
    lines = closing(speeds, studied(speeds, config))
    assert lines[0] == "share of limit: 6 FLOP x MACs x images/s over 100 GFLOP/s"
    assert "1.50 ± 0.50 times" in lines[1]
    # (300 + 4.8 references) x 6 x 364.6 s / 2 workers are 333,000 s
    line = (
        "search run --trials 200: resnet20, 6 epochs of 45,000 images, 2 workers: about 3 d 20 h"
    )
    assert lines[2] == line


def test_what_finds_no_memory_and_what_is_not_measured_is_said(
    speeds: Speeds, config: StudyConfig
) -> None:
    full = replace(speeds, out_of_memory=("mhsa", "gam"))
    assert closing(full, studied(full, config))[0] == "out of memory: mhsa, gam"
    assert (
        "no faster than one on each of 2 cores" in closing(speeds, studied(speeds, config, 8))[2]
    )
    gpu = replace(speeds, machine=replace(MACHINE, device="cuda", num_units=1))
    assert "1 worker (`search run` tries several" in closing(gpu, studied(gpu, config))[2]


def test_the_names_in_the_json_are_frozen(speeds: Speeds, config: StudyConfig) -> None:
    found = json.loads(as_json(speeds, studied(speeds, config)))
    network = {"name", "macs", "batch_size", "images_per_second", "share_of_limit"}
    network |= {"num_rounds", "step_seconds"}
    assert set(found) == {
        "machine",
        "matrix_flop_per_second",
        "backbones",
        "plain",
        "mechanisms",
        "random_architectures",
        "out_of_memory",
        "study",
    }
    assert set(found["plain"]) == network
    assert set(found["mechanisms"][0]) == network | {"placements", "seconds_ratio"}
    assert found["machine"] == {
        "device": "cpu",
        "name": "Slow 1",
        "num_units": 2,
        "precision": "float32",
        "torch": "2.11",
    }
    assert found["random_architectures"]["seconds_ratio"]["mean"] == pytest.approx(1.5)
    assert found["mechanisms"][0]["seconds_ratio"] == pytest.approx(3.0)
    assert found["study"]["command"] == COMMAND
    assert found["study"]["seconds"] == studied(speeds, config).seconds


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--format", "csv"], "--format must be one of table, json, got csv"),
        (["--trials", "0"], "--trials must be at least 1, got 0"),
        (["--workers", "0"], "--workers must be .*, got 0"),
        (["--max-time", "0s"], "--max-time must be a time such as .*, got 0s"),
        (["--device", "tpu"], "--device must be auto, cpu or cuda, got tpu"),
        (["--device", "cpu", "--backbone", "vgg"], "backbone must be one of .*, got vgg"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["bench", *arguments]) == 2
    assert re.fullmatch(f"search: {problem}", capsys.readouterr().err.strip())


def test_the_command_measures_every_mechanism_in_a_worker(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rounds, "TRAINER", "tests.search.fake_steps:step")
    command = ["bench", "--device", "cpu", "--backbone", "resnet8", "--workers", "1"]
    assert run_command([*command, "--max-time", "1s", "--format", "json"]) == 0
    captured = capsys.readouterr()
    assert captured.err.strip() == "measuring on cpu for about 1 s"
    found = json.loads(captured.out)
    assert {one["name"] for one in found["mechanisms"]} == set(MECHANISMS)
    for one in found["mechanisms"]:  # the worker takes as long as the MACs say
        assert one["seconds_ratio"] == pytest.approx(one["macs"] / found["plain"]["macs"])
    assert found["matrix_flop_per_second"] > 0
    words = "search run --trials 200 --backbone resnet8 --device cpu --workers 1"
    assert found["study"]["command"] == words


@pytest.mark.slow
def test_a_real_measurement_is_done_in_its_time() -> None:
    command = [sys.executable, "-m", "search", "bench", "--device", "cpu", "--max-time", "1s"]
    done = subprocess.run(
        [*command, "--backbone", "resnet8"], capture_output=True, text=True, check=True
    )
    assert "medians of n = " in done.stdout
    assert "search run --trials 200 --backbone resnet8 --device cpu: resnet8" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1.0, 12.0])  # while it starts, while it measures
def test_ctrl_c_ends_it_without_a_traceback(seconds: float) -> None:
    command = [sys.executable, "-m", "search", "bench", "--device", "cpu"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # its own group, as a terminal would signal it
    )
    assert process.stderr is not None
    process.stderr.readline()  # "measuring on ..."
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert output == ""
    assert errors.strip() == "ended by Ctrl-C before all was measured"
