"""`search explain` on studies written by hand: what it shows, and what it refuses."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from search.cli import run_command
from search.config import config_of
from studies import Evaluation, OpenStudy, Outcome, add_proposal, complete, create_or_open
from tests.search.scripted import SETTINGS
from tests.studies.planted import KINDS, factorial, planted

WORTH = {(2, "se"): 0.03, (3, "simam"): -0.02}
GATES = {"form": "vector", "mean": 0.5, "spread": 0.1, "saturation": 0.0}


def study_in(folder: Path) -> OpenStudy:
    """Return a new study of two mechanisms in ResNet-8."""
    config = config_of({**SETTINGS, "backbone": "resnet8", "kinds": KINDS})
    return create_or_open(f"sqlite:///{folder}/study.db", "attention", config.settings())


@pytest.fixture
def written(tmp_path: Path) -> OpenStudy:
    """Return one without trainings."""
    return study_in(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> OpenStudy:
    """Return one of every network, and plain three times more."""
    study = study_in(tmp_path_factory.mktemp("finished"))
    networks = factorial()
    fill(study, planted([*networks[:1] * 3, *networks], WORTH, noise=0.003))
    return study


def fill(study: OpenStudy, trained: Sequence[Evaluation]) -> None:
    """Store these trainings; SE ends without effect in stage 1, and works elsewhere."""
    for one in trained:
        row = add_proposal(
            study, one.architecture, trial=one.trial, proposal=one.proposal, purpose="trial",
            seed=one.seed,
        )  # fmt: skip
        gates = {
            f"stage{number}.block1.residual.0": {
                "gain": 1e-5 if (number, own[0].attention.kind) == (1, "se") else 0.5,
                "gates": {"channel": GATES},
            }
            for number, own in enumerate(one.architecture.stages, start=1)
            if own
        }
        price = one.cost
        out = Outcome(
            one.accuracy or 0, b"\xf0", price.macs, price.params, 3.0, 100.0, gates=gates
        )
        complete(study, row.id, 1, out)


def test_it_shows_effects_importance_dead_modules_and_the_conclusion(
    finished: OpenStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "effects.html"
    assert run_command(["explain", "--storage", finished.url, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    for part in (
        "Effects of attention in study attention on cifar10-sample",
        " * n 9 ",
        "stage2.attention",
        "Attention that ended without effect",
        "│ se in stage 1 │   9 of 9 │ 9 of 9 │ it changes its input by 1e-05 of its size",
        "6 pairs of a mechanism and a stage were trained, and there are no others.",
        "2 effects differ from zero for sure, all 6 judged together",
        "1 epoch on 100 images of cifar10-sample with resnet8",
        f"figure: {out}",
    ):
        assert " ".join(part.split()) in " ".join(shown.split())
    page = out.read_text()
    assert len(page) > 1_000_000  # plotly within: no network needed
    assert "se in stage 2" in page


def test_json_holds_every_effect_under_frozen_names(
    finished: OpenStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["explain", "--storage", finished.url, "--format", "json", "--cost", "params"]
    assert run_command(command) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert sorted(found) == [
        "ablations", "conclusion", "cost", "effects", "gates", "importances", "noise",
        "num_trainings", "untried",
    ]  # fmt: skip
    assert found["cost"] == "params"
    assert sorted(found["effects"][0]) == [
        "high", "includes_zero", "is_distinguishable", "kind", "least", "low", "mean", "most",
        "num_networks", "num_trainings", "p", "stage", "standard_error",
    ]  # fmt: skip
    assert sorted(found["importances"][0]) == [
        "cost_share", "known", "num_options", "parameter", "probability_first", "share", "unknown",
    ]  # fmt: skip
    assert sorted(found["gates"][0]) == [
        "kind", "num_dead", "num_dead_modules", "num_modules", "num_trainings", "reason", "stage",
    ]  # fmt: skip
    sure = {(one["stage"], one["kind"]) for one in found["effects"] if one["is_distinguishable"]}
    assert sure == set(WORTH)
    assert found["num_trainings"] == 30


def test_a_figure_beside_json_is_named_on_the_other_stream(
    finished: OpenStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "effects.html")
    command = ["explain", "--storage", finished.url, "--format", "json", "--out", out]
    assert run_command(command) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)
    assert captured.err == f"figure: {out}\n"


def test_a_study_of_an_older_version_is_explained_without_gates(
    written: OpenStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(written, planted([*factorial()[:1] * 3, factorial()[13]], WORTH, noise=0.003))
    with written.engine.begin() as connection:
        connection.execute(text("DROP TABLE attention_gates"))
    assert run_command(["explain", "--storage", written.url]) == 0
    assert "attention without effect: unknown" in capsys.readouterr().out


def test_a_study_of_plain_networks_says_that_nothing_is_known(
    written: OpenStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(written, planted(factorial()[:1] * 3, {}, noise=0.003))
    assert run_command(["explain", "--storage", written.url]) == 0
    assert "No training with attention has ended yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ([], ["effects need the plain network, and a network that was trained twice; go on with"]),
        (["--format", "csv"], ["--format must be one of table, json, got csv"]),
        (["--out", "effects.png"], ["--out must end in .html, got effects.png"]),
        (["--cost", "watts"], ["--cost must be macs or params, got watts"]),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    written: OpenStudy, capsys: pytest.CaptureFixture[str], options: list[str], parts: list[str]
) -> None:
    fill(written, planted(factorial()[:2], {}, noise=0.003))
    assert run_command(["explain", "--storage", written.url, *options]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert all(part in line for part in parts)
