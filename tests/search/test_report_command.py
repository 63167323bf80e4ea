"""`search report` as it is typed, and the command that makes such a study anew."""

import shlex
from pathlib import Path

import pytest

from search.budgets import with_budgets
from search.cli import run_command
from search.commands import run
from search.config import StudyConfig, config_of
from search.defaults import with_defaults
from search.driver import Driver, Limits
from search.listener import Listener
from search.rerun import rerun_command
from space import Refusal
from studies import create_or_open
from tests.search.scripted import SETTINGS, ScriptedExecutor


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of a study of 9 trainings without gates, so that nothing needs torch."""
    url = f"sqlite:///{tmp_path_factory.mktemp('finished')}/study.db"
    config = config_of({**SETTINGS, "backbone": "resnet8", "sampler": "random"})
    study = create_or_open(url, "attention", config.settings())
    driver = Driver(study, config, ScriptedExecutor(), listener=Listener())
    assert driver.run(Limits(9), lambda: False) == "total"
    study.engine.dispose()
    return url


def test_a_report_is_one_file_that_says_it_all(
    finished: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    out.write_text("an older one")
    assert run_command(["report", "--storage", finished, "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"report: {out}\n"
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    text = out.read_text()
    for part in (
        "<!doctype html>",
        "Installation check",
        "(n = 9)",
        "1 epoch on 100 images of cifar10-sample with resnet8",
        "pairs of a mechanism and a stage were trained",
        "search run --trials 9 --backbone resnet8",
        f"search confirm --storage {finished}",
        "machine and versions",
        "not recorded",
        "arXiv:1909.02453",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("out", "rule"),
    [
        ("report.pdf", "--out must end in .html, got report.pdf"),
        ("none/report.html", "--out needs an existing folder, got "),
        ("folder.html", "--out must be a file, got the folder folder.html"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_in_one_line(
    finished: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    out: str,
    rule: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.html").mkdir()
    assert run_command(["report", "--storage", finished, "--out", out]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"search: {rule}")


def test_a_study_without_a_training_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    create_or_open(url, "attention", config_of(SETTINGS).settings()).engine.dispose()
    assert run_command(["report", "--storage", url, "--out", str(tmp_path / "a.html")]) == 2
    assert "no training has finished yet" in capsys.readouterr().err
    assert not (tmp_path / "a.html").exists()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"early_stop": True, "baselines": False, "references": False, "epochs": 9, "seed": 5},
        {"kinds": ("se", "gam"), "cost": "params", "max_macs": 90_000_000, "audit": 0.0},
        {"averaging": 0.25, "curve_images": 500, "replicates": 0.0, "sampler": "known-cost"},
    ],
)
def test_the_command_makes_a_study_of_the_same_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], changed: dict[str, object]
) -> None:
    config = config_of({**SETTINGS, **changed})
    heard: list[StudyConfig] = []

    def hear(given: dict[str, object], *_: object, limits: object, **__: object) -> None:
        assert limits == Limits(40)
        values = with_defaults(given, "cpu", config.protocol.precision)
        heard.append(config_of(with_budgets(values, str(values["backbone"]))))
        raise Refusal("heard")

    monkeypatch.setattr(run, "_plan", hear)
    command = shlex.split(rerun_command(config, 40))
    assert command[0] == "search"
    assert run_command(command[1:]) == 2
    assert capsys.readouterr().err == "search: heard\n"
    assert heard == [config]
