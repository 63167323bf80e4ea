"""The main job with real networks on real images, small enough for a test."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from search.cli import run_command
from space import plan, read_architecture
from studies import epochs, evaluations, gates, open_existing

SMALL = ["--dataset", "cifar10-sample", "--backbone", "resnet8", "--train-images", "200"]
SMALL += ["--batch-size", "50", "--device", "cpu"]


def test_a_study_trains_exports_and_trains_the_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = [
        "run",
        "--trials",
        "6",
        "--epochs",
        "1",
        "--workers",
        "2",
        "--no-references",
        *SMALL,
    ]
    assert run_command(command) == 0
    assert "Installation check" in capsys.readouterr().out
    study = open_existing("sqlite:///study.db", "attention")
    rows = evaluations(study)
    assert Counter(row.state for row in rows) == {"complete": 6}
    for row in rows:
        assert len(row.correct or b"") == 1000 / 8
        (epoch,) = epochs(study, row)
        assert epoch.accuracy == row.accuracy
        assert set(gates(study, row)) == {
            f"stage{slot.stage}.block{slot.block}.{slot.position}.{slot.order}".replace(
                "block1.stage_end", "end"
            )
            for slot in plan(row.architecture)
        }
    assert run_command(["export", "--pick", "trial:4", "--out", "four.yaml"]) == 0
    assert read_architecture(Path("four.yaml")) == rows[4].architecture
    train = ["train", "four.yaml", "--epochs", "2", "--save", "four.safetensors", *SMALL]
    capsys.readouterr()
    assert run_command(train) == 0
    shown = capsys.readouterr().out
    assert "epoch 2/2" in shown
    assert "four.safetensors" in shown


def test_attention_without_effect_is_named_after_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A weight decay and learning rate this small leave the zeroed norm of non-local at zero."""
    monkeypatch.chdir(tmp_path)
    Path("idle.yaml").write_text(
        "backbone: resnet8\nstages: [[], [{attention: {kind: non_local}, position: post}], []]\n"
    )
    still = ["--learning-rate", "1e-12", "--epochs", "1"]
    assert run_command(["train", "idle.yaml", *still, *SMALL]) == 0
    shown = capsys.readouterr().out
    assert "attention without effect in stage2.block1.post.0: it changes its input by" in shown


def test_saved_weights_load_into_the_built_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_model

    from backbones import build
    from space import Architecture, plain, write_architecture

    monkeypatch.chdir(tmp_path)
    write_architecture(plain("resnet8"), Path("plain.json"))
    command = ["train", "plain.json", "--epochs", "1", "--save", "plain.safetensors", *SMALL]
    assert run_command(command) == 0
    with safe_open("plain.safetensors", "pt") as file:
        architecture = Architecture.from_json(file.metadata()["architecture"])
    missing, unexpected = load_model(build(architecture), "plain.safetensors")
    assert not missing
    assert not unexpected


@pytest.mark.slow
def test_a_real_study_that_is_killed_reaches_its_total(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "search", "run", "--trials", "6", "--epochs", "2"]
    command += ["--workers", "1", "--no-references", *SMALL]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    killed = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE)
    assert killed.stdout is not None
    for line in killed.stdout:
        if b"replicate 1 " in line:
            break
    time.sleep(1.0)  # into the next training
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert b"verdict: " in done.stdout
    calm = tmp_path / "calm"
    calm.mkdir()
    subprocess.run(command, cwd=calm, env=environment, capture_output=True, check=True)
    found = [
        [
            (row.proposal, row.digest, row.seed, row.accuracy, row.correct)
            for row in evaluations(open_existing(f"sqlite:///{folder}/study.db", "attention"))
        ]
        for folder in (tmp_path, calm)
    ]
    assert found[0] == found[1]
    assert len(found[0]) == 6
