"""A network as one file of plain PyTorch: the same network, and nothing else."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch

from backbones import build
from backbones.attention import BUILDERS
from backbones.standalone import standalone
from space import BACKBONES, MECHANISMS, Architecture, SearchSpace, baselines, plain
from tests.backbones.standalone_files import (
    OURS,
    everywhere,
    imported,
    loaded,
    shapes_of,
    stirred,
    text_of,
)

ROOT = Path(__file__).parents[2]
RUFF = [sys.executable, "-m", "ruff"]


@cache
def with_all_kinds() -> Architecture:
    """Return a network with every mechanism in it, behind a gain where it can have one."""
    stages: list[list[dict[str, object]]] = [[], [], []]
    for index, kind in enumerate(MECHANISMS):
        values = {"dilation": 2} if kind == "lka" else {}
        attention = {"kind": kind, **values}
        stages[index % 3].append({"attention": attention, "position": "residual", "gain": "zero"})
    return Architecture.model_validate({"backbone": "resnet8", "stages": stages})


@pytest.mark.parametrize("kind", MECHANISMS)
def test_a_file_builds_the_same_network(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    architecture = everywhere(kind)
    model = stirred(build(architecture))
    copy = loaded(text_of(architecture), monkeypatch).build()
    state = model.state_dict()
    assert list(copy.state_dict()) == list(state)
    copy.load_state_dict(state)
    x_BCHW = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(copy.eval()(x_BCHW), model(x_BCHW))


@pytest.mark.parametrize("name", ["resnet14", "resnet10", "resnet26", "resnet14w64"])
def test_every_family_of_backbones_has_the_same_tensors(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    architecture = baselines(SearchSpace(backbone=name))["se"]
    module = loaded(text_of(architecture), monkeypatch)
    assert shapes_of(module.build) == shapes_of(build, architecture)


def test_the_number_of_classes_is_the_architectures(monkeypatch: pytest.MonkeyPatch) -> None:
    network = loaded(text_of(plain("resnet8", 7)), monkeypatch).build()
    assert network.head.linear.out_features == 7


def test_all_mechanisms_fit_into_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    architecture = with_all_kinds()
    module = loaded(text_of(architecture), monkeypatch)
    assert shapes_of(module.build) == shapes_of(build, architecture)


def test_equal_seeds_draw_equal_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    architecture = baselines(SearchSpace(backbone="resnet8"))["cbam"]
    module = loaded(text_of(architecture), monkeypatch)
    torch.manual_seed(3)
    own = build(architecture).state_dict()
    torch.manual_seed(3)
    other = module.build().state_dict()
    assert all(torch.equal(own[name], other[name]) for name in own)


def test_a_file_imports_torch_and_what_comes_with_python_only() -> None:
    found = imported(text_of(with_all_kinds()))
    assert "torch" in found
    assert found - {"torch"} <= sys.stdlib_module_names


@pytest.mark.parametrize("kind", MECHANISMS)
def test_a_file_holds_the_mechanisms_used_and_no_others(kind: str) -> None:
    text = text_of(everywhere(kind))
    held = {name for name, one in BUILDERS.items() if f"\nclass {one.__name__}(" in text}
    assert held == {kind}


def test_a_file_holds_nothing_that_only_looks_at_a_network() -> None:
    text = text_of(with_all_kinds())
    for name in ("def gates", "AttentionModule", "class Bottleneck", "pydantic", "class Gate"):
        assert name not in text
    assert "PadShortcut" in text
    assert "PadShortcut" not in text_of(plain("resnet10"))


def test_a_file_is_as_tidy_as_this_project(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(text_of(with_all_kinds()), encoding="utf-8")
    settings = ["--no-cache", "--config", str(ROOT / "pyproject.toml")]
    for command in (["format", "--check"], ["check", "--ignore", "D,TC"]):
        done = subprocess.run(
            [*RUFF, *command, *settings, str(path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("comment", ['say """ so', "C:\\new", '"""', "ends in \\"])
def test_whatever_is_said_on_top_stays_within_the_docstring(
    comment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = loaded(standalone(plain("resnet8"), comment), monkeypatch)
    assert module.__doc__ is not None
    assert comment.replace('"""', "'''") in module.__doc__


def test_equal_blocks_are_written_once() -> None:
    deep, deeper = (
        text_of(plain(name)).count("BasicBlock(") for name in ("resnet20", "resnet110")
    )
    assert deep == deeper
    assert f"for _ in range({BACKBONES['resnet110'].stages[1].num_blocks - 1})" in text_of(
        plain("resnet110")
    )


@pytest.mark.slow
def test_a_file_runs_where_nothing_of_this_project_is(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(text_of(with_all_kinds()), encoding="utf-8")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({(*OURS, 'pydantic', 'fvcore')!r}))\n"
        "sys.path.insert(0, '.')\n"
        "import model, torch\n"
        "print(model.build().eval()(torch.zeros(1, 3, 32, 32)).shape)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "torch.Size([1, 10])"
