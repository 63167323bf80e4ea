"""`search export` into a folder: what lies in it, and what is refused."""

import importlib.util
import json
import sqlite3
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from backbones import build
from backbones.onnx import PACKAGES
from search.cli import run_command
from search.config import config_of
from search.training.weights import save_weights
from space import Architecture, SearchSpace, baselines, digest, plain, read_architecture
from studies import Outcome, add_proposal, complete, create_or_open
from tests.backbones.standalone_files import loaded, stirred
from tests.search.scripted import SETTINGS

PLAIN, SE = plain("resnet8"), baselines(SearchSpace(backbone="resnet8"))["se"]
FILES = ["MODEL_CARD.md", "architecture.yaml", "insert.py", "manifest.json", "model.py"]
MISSING = [name for name in PACKAGES if importlib.util.find_spec(name) is None]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of a study whose front is plain and SE."""
    url = f"sqlite:///{tmp_path_factory.mktemp('stored')}/study.db"
    study = create_or_open(url, "tried", config_of(SETTINGS).settings())
    runs = [(PLAIN, 0.80), (PLAIN, 0.801), (SE, 0.90), (SE, 0.901)]
    for number, (architecture, accuracy) in enumerate(runs):
        row = add_proposal(
            study, architecture, trial=number, proposal=number, purpose="trial", seed=number
        )
        complete(study, row.id, 1, Outcome(accuracy, b"\xf0" * 125, 12, 34, 5.5, 678.0))
    study.engine.dispose()
    return url


@pytest.fixture(autouse=True)
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def export(url: str, *arguments: str) -> int:
    study = ["--storage", url, "--study", "tried", "--pick", "best"]
    return run_command(["export", *study, "--out", "out", *arguments])


def saved(
    architecture: Architecture, name: str = "trained.safetensors"
) -> dict[str, torch.Tensor]:
    """Write weights as `search train --save` does, and return them."""
    model = stirred(build(architecture))
    save_weights(model, architecture, Path(name))
    return model.state_dict()


def names() -> list[str]:
    return sorted(one.name for one in Path("out").iterdir())


def test_a_folder_holds_the_network_in_every_form(
    stored: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(stored) == 0
    shown = capsys.readouterr().out.splitlines()
    assert names() == FILES
    assert {f"wrote: out/{name}" for name in FILES} <= set(shown)
    assert shown[-1].startswith("next:  search train out/architecture.yaml --dataset")
    assert read_architecture(Path("out/architecture.yaml")) == SE
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert [one["digest"] for one in manifest["architectures"]] == [digest(SE)]
    assert sorted(manifest["files"]) == [name for name in FILES if name != "manifest.json"]
    assert "Not confirmed" in Path("out/MODEL_CARD.md").read_text(encoding="utf-8")
    assert "less (0.4914, 0.4822, 0.4465)" in Path("out/model.py").read_text(encoding="utf-8")


def test_a_folder_is_written_again_but_nothing_else_is_lost(
    stored: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(stored) == export(stored, "--pick", "row:1") == 0
    assert read_architecture(Path("out/architecture.yaml")) == PLAIN
    assert "insert.py" not in names()  # nothing to insert
    Path("out/weights.safetensors").write_text("a night of training")
    assert export(stored) == 2
    assert "got out with weights.safetensors; name another" in capsys.readouterr().err
    assert Path("out/weights.safetensors").read_text() == "a night of training"


def test_weights_lie_beside_the_network_that_loads_them(
    stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = saved(SE)
    assert export(stored, "--weights", "trained.safetensors") == 0
    model = loaded(Path("out/model.py").read_text(encoding="utf-8"), monkeypatch).build()
    model.load_state_dict(load_file("out/weights.safetensors"))
    assert all(torch.equal(one, state[name]) for name, one in model.state_dict().items())
    assert "load_file" in Path("out/MODEL_CARD.md").read_text(encoding="utf-8")


def test_a_folder_has_the_spelling_that_the_weights_were_trained_in(stored: str) -> None:
    """A reduction of 32 leaves SE no fewer channels here than one of 16: its least width."""
    text = SE.to_json().replace('"reduction":16', '"reduction":32')
    other = Architecture.from_json(text)
    assert other != SE
    assert digest(other) == digest(SE)
    saved(other)
    assert export(stored, "--weights", "trained.safetensors") == 0
    assert read_architecture(Path("out/architecture.yaml")) == other


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--weights", "plain.safetensors"], ["must be of se r16", "of plain on resnet8"]),
        (["--weights", "none.safetensors"], ["must hold weights of `search train", "none"]),
        (["--weights", "headless.safetensors"], ["must name its architecture"]),
        (["--weights", "others.safetensors"], ["must hold the tensors of se r16"]),
        (["--fold"], ["--fold needs --onnx", "stay trainable"]),
        (["--onnx-batch", "2"], ["--onnx-batch needs --onnx", "got 2"]),
        (["--onnx", "--onnx-batch", "0"], ["--onnx-batch must be at least 1", "got 0"]),
        (["--onnx", "--out", "a.yaml"], ["one architecture in a folder", "--out a.yaml"]),
        (["--onnx", "--pick", "front"], ["one architecture in a folder", "--pick front"]),
        (
            ["--out", "."],
            ["--out must be new, empty or an earlier export", "headless.safetensors"],
        ),
        (["--out", "plain"], ["got the file plain"]),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    arguments: list[str], parts: list[str], stored: str, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(PLAIN, "plain.safetensors")
    Path("plain").write_text("mine")
    save_file({"a": torch.zeros(1)}, "headless.safetensors")
    save_file({"a": torch.zeros(1)}, "others.safetensors", {"architecture": SE.to_json()})
    before = sorted(Path.cwd().iterdir())
    assert export(stored, *arguments) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert all(part in line for part in parts), line
    assert sorted(Path.cwd().iterdir()) == before


def test_a_changed_database_names_no_file_outside_the_folder(
    stored: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect("changed.db") as connection:
        sqlite3.connect(stored.removeprefix("sqlite:///")).backup(connection)
        connection.execute("update attention_evaluations set digest = '../' || digest")
    assert export("sqlite:///changed.db", "--pick", "front") == 2
    assert "16 hexadecimal digits" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize("name", ["../../tried", "/etc/tried", "tried\n", "x" * 101])
def test_a_study_whose_name_leads_elsewhere_is_not_opened(
    name: str, stored: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect("changed.db") as connection:
        sqlite3.connect(stored.removeprefix("sqlite:///")).backup(connection)
        connection.execute("update studies set study_name = ?", (name,))
    for command in (
        ["export", "--out", "out"],
        ["front"],
        ["report"],
        ["dashboard", "--snapshot"],
    ):
        named = ["--storage", "sqlite:///changed.db", "--study", name]
        assert run_command([*command, *named]) == 2
        assert "--study must be a name of 1 to 100" in capsys.readouterr().err
    assert {one.name.partition("-")[0] for one in Path().iterdir()} == {"changed.db"}


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"needs the extra onnx: {', '.join(MISSING)}")
@pytest.mark.parametrize("is_trained", [True, False])
def test_an_onnx_model_computes_what_the_exported_one_does(
    is_trained: bool, stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    state = saved(SE)
    weights = ["--weights", "trained.safetensors"] if is_trained else []
    assert export(stored, "--onnx", "--fold", *weights) == 0
    card = Path("out/MODEL_CARD.md").read_text(encoding="utf-8")
    assert ("UNTRAINED" in card) == (not is_trained)
    x_BCHW = torch.randn(5, 3, 32, 32)
    session = onnxruntime.InferenceSession("out/model.onnx", providers=["CPUExecutionProvider"])
    (y_BK,) = session.run(None, {"images": x_BCHW.numpy()})
    model = loaded(Path("out/model.py").read_text(encoding="utf-8"), monkeypatch).build()
    torch.manual_seed(0)
    model.load_state_dict(state if is_trained else build(SE).state_dict())
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(y_BK), model.eval()(x_BCHW), rtol=0, atol=1e-4)
