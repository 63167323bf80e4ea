"""`search gates`, and the tips of `search train`, as a user types them."""

import os
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from PIL import Image

from search.cli import run_command
from search.training import data

SMALL = ["--dataset", "cifar10-sample", "--train-images", "20", "--device", "cpu"]
LOOK = ["--dataset", "cifar10-sample", "--device", "cpu", "--images", "2"]
SE = {"attention": {"kind": "se"}, "position": "residual"}
DUAL = {"attention": {"kind": "dual"}, "position": "stage_end"}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder with a plain network and one with two modules."""
    monkeypatch.chdir(tmp_path)
    write("plain.yaml", [[], [], []])
    write("both.yaml", [[SE], [], [DUAL]])


@pytest.fixture(autouse=True)
def few_images(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Validate with 40 images, and count gates over 16: what is tested here is the way there."""
    from search.training import worker

    def small(*names: object, **numbers: object) -> data.Split:
        whole = data.load(*names, **numbers)  # type: ignore[arg-type] # as `worker` calls it
        validation = whole.validation_images[:40], whole.validation_labels[:40]
        return data.Split(whole.train_images, whole.train_labels, *validation)

    monkeypatch.setattr(worker, "load", small)
    monkeypatch.setattr(worker, "GATE_IMAGES", 16)
    worker._images.cache_clear()
    yield
    worker._images.cache_clear()


def write(name: str, stages: list[list[object]]) -> None:
    Path(name).write_text(yaml.safe_dump({"backbone": "resnet8", "stages": stages}))


def train(*arguments: str) -> int:
    return run_command(["train", *arguments, *SMALL, "--curve-images", "40"])


@pytest.mark.slow
def test_weights_are_looked_at_after_a_training_that_began_with_plain_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train("plain.yaml", "--epochs", "1", "--save", "plain.safetensors") == 0
    tips = [
        "--init-from",
        "plain.safetensors",
        "--freeze-backbone",
        "1",
        "--attention-warmup",
        "1",
    ]
    capsys.readouterr()
    assert train("both.yaml", "--epochs", "2", *tips, "--save", "both.safetensors") == 0
    shown = capsys.readouterr().out
    fresh = "fresh: stage1.block1.residual.0, stage3.end.0\n"
    assert "plain.safetensors: " in shown
    assert fresh in shown
    assert "epoch 2/2" in shown
    looked = ["gates", "both.yaml", *LOOK, "--weights", "both.safetensors", "--out", "new/seen"]
    assert run_command(looked) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("stage1.block1.residual.0: se r16 on 16@32x32: channel mean 0.")
    assert lines[1].startswith(
        "stage3.end.0: dual both r8 flipped on 64@8x8: position mean 0.0156"
    )
    names = ["overview", "stage1.block1.residual.0", "stage3.end.0"]
    assert lines[2:] == [f"wrote: new/seen/{name}.png" for name in names]
    for name in names:
        with Image.open(f"new/seen/{name}.png") as picture:
            assert picture.format == "PNG"
            assert min(picture.size) > 300
    assert run_command([*looked[:1], "plain.yaml", *looked[2:]]) == 2
    write("other.yaml", [[SE], [deepcopy(SE)], [DUAL]])  # or YAML would refer to the first
    assert run_command([*looked[:1], "other.yaml", *looked[2:]]) == 2
    assert "--weights must be of the architecture" in capsys.readouterr().err
    assert train("plain.yaml", "--epochs", "1", "--init-from", "plain.yaml") == 2
    assert "--init-from must be a .safetensors file, got plain.yaml" in capsys.readouterr().err


def test_without_weights_it_trains_first_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["gates", "both.yaml", *SMALL, "--epochs", "1", "--images", "1"]
    assert run_command(command) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("no --weights: it trains first, for 1 epoch; ")
    assert "epoch 1/1" in shown
    assert len(list(Path("gates").glob("*.png"))) == 3


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["plain.yaml"], ["plain.yaml must have attention", "got a plain network"]),
        (["both.yaml", "--images", "0"], ["--images must be 1 to 64, got 0"]),
        (["both.yaml", "--images", "65"], ["--images must be 1 to 64, got 65"]),
        (["both.yaml", "--weights", "w", "--epochs", "2"], ["--epochs", "--weights"]),
        (["both.yaml", "--weights", "w", "--train-images", "9"], ["--train-images", "--weights"]),
        (
            ["both.yaml", "--weights", "none.safetensors"],
            ["--weights must be", "none.safetensors"],
        ),
        (["both.yaml", "--weights", "both.yaml"], ["--weights must be", "got both.yaml"]),
        (["both.yaml", "--out", "both.yaml"], ["--out must be a folder", "both.yaml", "exists"]),
        (["both.yaml", "--dataset", "mnist"], ["--dataset", "mnist"]),
        (["none.yaml"], ["none.yaml"]),
    ],
)
def test_what_cannot_be_looked_at_is_refused_in_one_line(
    arguments: list[str], parts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["gates", *arguments, "--device", "cpu"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert all(part in line for part in parts), line


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["both.yaml", "--freeze-backbone", "1"], "--freeze-backbone needs trained weights"),
        (["both.yaml", "--attention-warmup", "2"], "less than --epochs, which is 2, got 2"),
        (["plain.yaml", "--attention-warmup", "1"], "got a plain one"),
    ],
)
def test_tips_that_do_not_fit_are_refused_before_any_data_is_fetched(
    arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", *arguments, "--epochs", "2", "--device", "cpu", "--data-dir", "none"]
    assert run_command(command) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert part in line


def test_a_backbone_that_is_not_loaded_whole_is_not_frozen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"head.linear.bias": torch.zeros(10)}, "part.safetensors")
    tips = ["--init-from", "part.safetensors", "--freeze-backbone", "1"]
    assert train("both.yaml", "--epochs", "2", *tips) == 2
    assert "--freeze-backbone needs weights of the whole backbone" in capsys.readouterr().err


def test_weights_that_are_no_plain_file_are_refused_and_not_waited_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    os.mkfifo("pipe.safetensors")
    Path("folder.safetensors").mkdir()
    for name in ("pipe.safetensors", "folder.safetensors"):
        assert run_command(["gates", "both.yaml", *LOOK, "--weights", name]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("search: --weights must be a file of `search train --save`, got ")
        assert line.endswith(f"{name}: it must be a plain file")
