"""The command line: what a user types, and the one line each mistake gets."""

import json
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from search import session
from search.cli import app, run_command
from space import digest, plain, read_architecture
from studies import only_driver, open_existing
from studies.store.sessions import sessions

FAKE = "tests.search.fake_trainer:train"
SAMPLE = ["--dataset", "cifar10-sample"]
BASE = ["--dataset", "cifar10-sample", "--device", "cpu", "--epochs", "1", "--workers", "1"]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a new database's URL, in an empty working folder, with a trainer without torch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "TRAINER", FAKE)
    return "sqlite:///tried.db"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of a study of 14 fake trainings, run by the command itself."""
    folder = tmp_path_factory.mktemp("finished")
    url = f"sqlite:///{folder}/study.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "TRAINER", FAKE)
        assert run_command(["run", "--trials", "14", "--storage", url, *BASE]) == 0
    return url


def only_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the single line on stderr."""
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    return lines[0]


def test_a_run_ends_with_front_verdict_paths_and_next_commands(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["run", "--trials", "4", "--storage", url, *BASE]) == 0
    shown = capsys.readouterr().out
    for part in (
        "Installation check",
        "not a result",
        "run-to-run sd",
        "verdict: ",
        "database: tried.db",
        "figure:   tried.attention.html",
        "search run --trials 200",
        "search dashboard --storage sqlite:///tried.db",
        "architectures of resnet20",
    ):
        assert part in shown
    assert Path("tried.attention.html").stat().st_size > 1_000_000


def test_a_run_goes_on_with_the_stored_settings(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["run", "--trials", "3", "--storage", url, *BASE]) == 0
    assert run_command(["run", "--trials", "5", "--storage", url, "--device", "cpu"]) == 0
    capsys.readouterr()
    study = open_existing(url, "attention")
    assert study.settings["epochs"] == 1
    assert len(study.optuna.trials) == 5
    first, second = sessions(study)
    assert (first.ending, second.ending, first.surroundings.num_workers) == ("total", "total", 1)
    assert first.ended_at
    assert first.ended_at <= second.started_at
    assert first.surroundings.hardware
    assert {"python", "optuna", "torch"} <= set(first.surroundings.versions)


def test_a_budget_is_said_kept_and_the_same_when_given_again(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", "--trials", "3", "--storage", url, *BASE]
    both = ["--max-macs", "1.1x", "--max-params", "0.4M", "--kinds", "cbam,se"]
    assert run_command([*command, *both, "--no-references"]) == 0
    shown = capsys.readouterr().out
    assert "cost macs, at most 44.6 M macs and 400 k params\n" in shown
    assert "architectures of resnet20, of which those within the budget 40.6 M to 4" in shown
    settings = open_existing(url, "attention").settings
    assert (settings["max_macs"], settings["max_params"]) == (44_606_144, 400_000)
    assert settings["kinds"] == ["se", "cbam"]
    same = ["--max-macs", "44606144", "--max-params", "400k", "--kinds", "se,cbam"]
    assert run_command([*command, *same]) == run_command([*command, *both]) == 0
    capsys.readouterr()
    assert run_command([*command, "--max-macs", "1.2x"]) == 2
    assert "study attention has max-macs 44.6 M, got 48.7 M; " in only_line(capsys)
    assert run_command(["plot", "--storage", url, "--out", "front.html"]) == 0
    for figure in ("front.html", "tried.attention.html"):
        assert "budget: 44.6 M MACs (+10 %)" in Path(figure).read_text()


def test_a_run_says_how_many_baselines_a_budget_leaves_out(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One parameter more than plain: SE's and GAM's are left out, parameter-free SimAM is not."""
    command = ["run", "--trials", "3", "--storage", url, *BASE, "--no-references"]
    options = ["--max-params", "269723", "--kinds", "se,gam,simam"]
    assert run_command([*command, *options]) == 0
    assert (
        "at most 270 k params, 2 baselines over the budget left out\n" in capsys.readouterr().out
    )


def test_a_protocol_file_is_trained_with_and_options_beside_it_win(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"epochs": 2, "train_images": 50, "averaging": 0.1}
    data = {"version": 1, "backbone": "resnet8", "dataset": "cifar10-sample", "protocol": own}
    Path("protocol.yaml").write_text(yaml.safe_dump(data))
    command = ["run", "--trials", "3", "--storage", url, "--no-references", "--device", "cpu"]
    command += ["--workers", "1", "--protocol", "protocol.yaml"]
    assert run_command([*command, "--epochs", "1"]) == 0
    settings = open_existing(url, "attention").settings
    found = {name: settings[name] for name in ("backbone", "dataset", *own)}
    assert found == {"backbone": "resnet8", "dataset": "cifar10-sample", **own, "epochs": 1}
    capsys.readouterr()
    assert run_command(command) == 2
    assert "study attention has epochs 1, got 2" in only_line(capsys)
    for other in (["run", "--backbone", "resnet20"], ["train", "plain.yaml"]):
        Path("plain.yaml").write_text("backbone: resnet20\nstages: [[], [], []]\n")
        assert run_command([*other, "--device", "cpu", "--protocol", "protocol.yaml"]) == 2
        assert "measured on resnet8, got backbone resnet20" in only_line(capsys)


def test_wrong_workers_are_refused_before_any_data_is_fetched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("search.training.data.ensure", lambda name, *_: fetched.append(name))
    assert run_command(["run", "--device", "cpu", "--workers", "two"]) == 2
    assert "--workers must be auto or 1 to 256, got two" in only_line(capsys)
    assert fetched == []


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--epochs", "2"], ["epochs 1", "got 2"]),
        (["--backbone", "resnet32"], ["backbone resnet20", "got resnet32"]),
        (["--cost", "params"], ["cost macs", "got params"]),
        (["--learning-rate", "0.3"], ["learning-rate", "got 0.3"]),
        (["--sampler", "random"], ["sampler known-cost", "got random"]),
    ],
)
def test_another_space_protocol_or_objective_is_refused_by_name(
    finished: str, arguments: list[str], parts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", "--trials", "20", "--storage", finished, "--device", "cpu", *arguments]
    assert run_command(command) == 2
    line = only_line(capsys)
    assert all(part in line for part in parts), line


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["run", "--trials", "0"], ["--trials must be at least 1", "got 0"]),
        (["run", "--trials", "many"], ["many"]),
        (["run", "--workers", "0"], ["--workers must be auto or 1 to 256, got 0"]),
        (["run", "--backbone", "resnet19"], ["backbone must be one of resnet8", "resnet19"]),
        (["run", "--dataset", "mnist"], ["dataset", "cifar10-sample", "mnist"]),
        (["run", "--dataset", "cifar10-sample", "--train-images", "4000"], ["3000", "4000"]),
        (["run", "--dataset", "cifar10-sample", "--epochs", "0"], ["--epochs", "0"]),
        (["run", "--dataset", "cifar10-sample", "--learning-rate", "-1"], ["--learning-rate"]),
        (["run", "--dataset", "cifar10-sample", "--sampler", "cmaes"], ["--sampler", "cmaes"]),
        (["run", *SAMPLE, "--max-macs", "0.9x"], ["--max-macs", "40551040", "0.9x", "--backbone"]),
        (["run", *SAMPLE, "--max-macs", "lots"], ["--max-macs", "45M", "1.1x", "got lots"]),
        (["run", *SAMPLE, "--max-params", "100k"], ["--max-params", "269722 (270 k)", "100k"]),
        (["run", *SAMPLE, "--kinds", "se,sea"], ["--kinds must be among se,cbam", "got sea"]),
        (["run", *SAMPLE, "--kinds", "se,se"], ["--kinds must each be named once", "se twice"]),
        (["run", *SAMPLE, "--audit", "2"], ["--audit", "less than or equal to 1", "got 2"]),
        (["run", *SAMPLE, "--audit=abc"], ["--audit", "got abc"]),
        (["run", *SAMPLE, "--audit="], ["--audit", "got ''"]),
        (["run", *SAMPLE, "--epochs", "5", "--early-stop"], ["--early-stop needs", "6", "got 5"]),
        (["run", "--protocol", "."], ["--protocol", "got '.'"]),
        (["run", *SAMPLE, "--max-macs", ""], ["--max-macs", "got ''"]),
        (["run", *SAMPLE, "--replicates", "1"], ["--replicates", "0.9", "got 1"]),
        (["run", *SAMPLE, "--averaging", "1"], ["--averaging", "0.5", "got 1"]),
        (["run", *SAMPLE, "--curve-images", "1001"], ["--curve-images", "1000", "got 1001"]),
        (["run", "--protocol", "none.yaml"], ["none.yaml", "No such file"]),
        (["run", "--protocol", "none.txt"], [".yaml", "none.txt"]),
        (["run", "--cost", "latency"], ["--cost must be macs or params", "latency"]),
        (["run", "--max-time", "soon"], ["--max-time", "2h", "soon"]),
        (["run", "--trial-timeout", "0s"], ["--trial-timeout", "2h", "0s"]),
        (["run", "--device", "tpu"], ["--device must be auto, cpu or cuda", "tpu"]),
        (["run", "--storage", "study.db", *BASE], ["sqlite:///", "study.db"]),
        (["run", "--storage", "mysql://h/d", *BASE], ["sqlite:///FILE", "mysql"]),
        (["run", "--storage", "sqlite:///no/such/s.db", *BASE], ["existing folder"]),
        (["run", "--trails", "5"], ["--trails"]),
        (["front", "--storage", "sqlite:///none.db"], ["no study database", "none.db"]),
        (["status", "--storage", "sqlite:///none.db"], ["no study database"]),
        (["plot", "--storage", "sqlite:///none.db"], ["no study database"]),
        (["export", "--out", "a.yaml", "--storage", "sqlite:///none.db"], ["no study database"]),
        (["dashboard", "--storage", "sqlite:///none.db"], ["no study database"]),
        (["front", "--format", "xml"], ["--format must be one of table, json, csv", "xml"]),
        (["plot", "--out", "front.png"], [".html", "front.png"]),
        (["export"], ["--out"]),
        (["train", "none.yaml"], ["none.yaml", "No such file"]),
        (["train", "none.txt"], [".yaml", "none.txt"]),
        (["train", "a.yaml", "--save", "weights.pt"], [".safetensors", "weights.pt"]),
        (["serch"], ["serch"]),
        (
            ["status", "--storage", "http://[::1"],
            ["--storage must be postgresql://USER@HOST/NAME or sqlite:///FILE", "[::1"],
        ),
        (["status", "--storage", "sqlite:////dev/zero"], ["/dev/zero is no SQLite database"]),
        (["train", "a\n\x1b[31m\udc80.txt"], [r"got a\n\x1b[31m\udc80.txt"]),
        (["train", "x" * 5_000], [f"{'x' * 500}", "..."]),
    ],
)
def test_a_mistake_gets_one_line_with_the_rule_and_the_value(
    url: str, arguments: list[str], parts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert url
    device = ["--device", "cpu"] if arguments[0] == "run" and "--device" not in arguments else []
    assert run_command([*arguments, *device]) == 2
    line = only_line(capsys)
    assert line.startswith("search: ")
    assert all(part in line for part in parts), line
    assert not list(Path().glob("*.db"))


def test_a_file_that_is_no_database_is_refused_and_left_alone(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert url
    Path("notes.db").write_text("not a database, " * 10)
    for command in (["run", "--trials", "3", *BASE], ["front"]):
        assert run_command([*command, "--storage", "sqlite:///notes.db"]) == 2
        assert "no SQLite database" in only_line(capsys)
    assert Path("notes.db").read_text().startswith("not a database")


def test_a_foreign_database_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert url
    with sqlite3.connect("other.db") as connection:
        connection.execute("create table things (id)")
    connection.close()
    assert run_command(["front", "--storage", "sqlite:///other.db"]) == 2
    assert "holds no study" in only_line(capsys)


def test_a_second_driver_is_refused(finished: str, capsys: pytest.CaptureFixture[str]) -> None:
    with only_driver(finished, "attention"):
        command = ["run", "--trials", "20", "--storage", finished, "--device", "cpu"]
        assert run_command(command) == 2
    assert "already being run" in only_line(capsys)


def test_an_unknown_study_is_refused_with_those_there_are(
    finished: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["front", "--storage", finished, "--study", "atention"]) == 2
    line = only_line(capsys)
    assert "no study atention" in line
    assert "attention" in line


def test_a_mechanism_or_key_of_a_file_is_refused_by_its_path(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert url
    placement = {"attention": {"kind": "see"}, "position": "residual"}
    data = {"backbone": "resnet20", "stages": [[placement], [], []]}
    Path("bad.yaml").write_text(yaml.safe_dump(data))
    assert run_command(["train", "bad.yaml", "--device", "cpu"]) == 2
    line = only_line(capsys)
    assert "bad.yaml: stages[0][0].attention: kind must be one of se" in line
    assert "got see" in line


def test_the_front_is_the_same_in_every_format(
    finished: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["front", "--storage", finished, "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["rows"][0]["placements"] == "plain"
    assert data["num_trainings"] == 14
    assert run_command(["front", "--storage", finished, "--format", "csv"]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 1 + len(data["rows"])
    assert run_command(["front", "--storage", finished]) == 0
    assert data["verdict"] in capsys.readouterr().out.replace("\n", " ")


def test_the_other_cost_is_a_query(finished: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run_command(["front", "--storage", finished, "--cost", "params", "--format", "json"]) == 0
    )
    rows = json.loads(capsys.readouterr().out)["rows"]
    params = [row["params"] for row in rows]
    assert params == sorted(params)


@pytest.mark.parametrize("pick", ["recommended", "best", "knee", "row:1", "trial:3"])
def test_an_exported_architecture_reads_back(
    finished: str, pick: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "picked.yaml"
    assert run_command(["export", "--pick", pick, "--storage", finished, "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    architecture = read_architecture(out)
    assert digest(architecture) in out.read_text()
    if pick == "row:1":
        assert architecture == plain("resnet20")


def test_the_whole_front_is_exported_as_a_folder(finished: str, tmp_path: Path) -> None:
    out = tmp_path / "front"
    assert (
        run_command(["export", "--pick", "front", "--storage", finished, "--out", str(out)]) == 0
    )
    manifest = json.loads((out / "manifest.json").read_text())
    for entry in manifest["architectures"]:
        assert digest(read_architecture(out / entry["file"])) == entry["digest"]


@pytest.mark.parametrize("pick", ["row:0", "row:999", "trial:999", "worst", "row:x"])
def test_an_impossible_pick_is_refused(
    finished: str, pick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["export", "--pick", pick, "--storage", finished, "--out", "a.yaml"]) == 2
    assert pick.partition(":")[2] in only_line(capsys)
    assert not Path("a.yaml").exists()


def test_a_kill_behind_the_last_row_is_mended(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", "--trials", "4", "--storage", url, *BASE]
    assert run_command(command) == 0
    with sqlite3.connect("tried.db") as connection:
        connection.execute("update trials set state = 'RUNNING' where number = 3")
        connection.execute("delete from trial_values where trial_id = 4")
        connection.execute("delete from pareto_front")
    connection.close()
    assert run_command(command) == 0
    assert "has its 4 trainings" in capsys.readouterr().out
    study = open_existing(url, "attention")
    assert [trial.state.name for trial in study.optuna.trials] == ["COMPLETE"] * 4
    with sqlite3.connect("tried.db") as connection:
        assert connection.execute("select count(*) from pareto_front").fetchone()[0] >= 1
    connection.close()


@pytest.mark.parametrize(
    "text",
    [
        "stages: 2024-13-45",
        "stages: !!int abc",
        "&a {backbone: *a}",
        "stages: &a [*a]",
        "[" * 3000,
        "backbone: resnet8\nnum_classes: 2\nstages: [[], [], []]",
        "backbone: resnet8\nnum_classes: '10'\nstages: [[], [], []]",
    ],
)
def test_a_strange_architecture_file_gets_one_line(
    url: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert url
    Path("strange.yaml").write_text(text)
    assert run_command(["train", "strange.yaml", "--device", "cpu"]) == 2
    only_line(capsys)


@pytest.mark.parametrize("name", ["a/b", "", "a\nb", "x" * 101])
def test_a_study_that_no_file_can_be_named_after_is_refused(
    url: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["run", "--storage", url, "--study", name, *BASE]) == 2
    assert "--study must be a name" in only_line(capsys)


def test_a_taken_port_is_one_line(finished: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert run_command(["dashboard", "--storage", finished, "--port", port]) == 2
    assert "--port" in only_line(capsys)


def test_status_counts_and_plot_draws(
    finished: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["status", "--storage", finished]) == 0
    assert "14 complete" in capsys.readouterr().out
    out = tmp_path / "f.html"
    assert run_command(["plot", "--storage", finished, "--out", str(out)]) == 0
    assert "plotly" in out.read_text()


def test_a_full_disk_is_one_line(
    finished: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sqlalchemy.exc import OperationalError

    def full(*_: object, **__: object) -> None:
        raise OperationalError("insert", {}, Exception()) from sqlite3.OperationalError(
            "database or disk is full"
        )

    monkeypatch.setattr("search.opened.read_front", full)
    assert run_command(["front", "--storage", finished]) == 2
    assert "no space left" in only_line(capsys)


def test_the_dashboard_without_its_extra_says_how_to_get_it(
    finished: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("search.dashboard.find_spec", lambda _: None)
    assert run_command(["dashboard", "--storage", finished]) == 2
    assert "attention-search[dashboard]" in only_line(capsys)


def test_help_loads_no_torch_and_no_optuna() -> None:
    code = (
        "import sys; from search.cli import run_command\n"
        "assert run_command(['run', '--help']) == 0\n"
        "print(sorted({'torch', 'optuna', 'sqlalchemy', 'numpy', 'plotly'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


def test_commands_and_options_are_frozen() -> None:
    import typer

    group = typer.main.get_command(app)
    names = {
        name: sorted(option for parameter in command.params for option in parameter.opts)
        for name, command in group.commands.items()  # type: ignore[attr-defined] # it is a group
        if name != "data"
    }
    study = ["--storage", "--study"]
    training = ["--backbone", "--batch-size", "--data-dir", "--dataset", "--device", "--epochs"]
    training += ["--learning-rate", "--seed", "--train-images", "--weight-decay"]
    training += ["--averaging", "--curve-images", "--protocol"]
    run = ["--baselines", "--cost", "--max-time", "--references", "--sampler", "--audit"]
    run += ["--trial-timeout"]
    run += ["--early-stop", "--kinds", "--max-macs", "--max-params", "--replicates"]
    beginning = ["--attention-warmup", "--freeze-backbone", "--init-from"]
    gates = ["--data-dir", "--dataset", "--device", "--epochs", "--seed", "--train-images"]
    exported = ["--fold", "--onnx", "--onnx-batch", "--weights"]
    extra = ["--data-dir", "--device", "--format", "--seeds", "--workers", "--yes"]
    explain = ["--ablate", "--cost", "--out"]
    confirm = ["--again", "--epochs", "--resolve", "--top", "--train-images"]
    baselines = ["--backbone", "--batch-size", "--confirm", "--data-dir", "--dataset", "--device"]
    baselines += ["--epochs", "--file", "--format", "--kinds", "--learning-rate", "--recipe"]
    baselines += ["--seed", "--seeds", "--train-images", "--weight-decay", "--workers"]
    cluster = ["--address", "--executor", "--gpus-per-trial"]
    pilot = ["--backbone", "--budget", "--dataset", "--device", "--workers"]
    assert names == {
        "space": ["--backbone", "--format"],
        "bench": ["--backbone", "--device", "--format", "--max-time", "--trials", "--workers"],
        "pilot": sorted([*pilot, "--batch-size", "--data-dir", "--out", "--seed"]),
        "fidelity": ["--format", *study],
        "run": sorted([*run, *cluster, "--trials", "--workers", *study, *training]),
        "status": study,
        "front": ["--cost", "--format", *study],
        "plot": ["--cost", "--out", *study],
        "report": ["--cost", "--out", *study],
        "explain": sorted([*explain, *extra, *study]),
        "confirm": sorted([*confirm, *extra, *study]),
        "baselines": sorted([*baselines, *study]),
        "export": sorted([*exported, "--cost", "--out", "--pick", *study]),
        "train": sorted([*training, *beginning, "--save", "file"]),
        "gates": sorted([*gates, "--images", "--out", "--weights", "file"]),
        "dashboard": ["--host", "--port", "--snapshot", *study],
        "backup": ["--overwrite", "--storage", "--to"],
        "doctor": ["--data-dir", "--format", "--storage"],
    }
