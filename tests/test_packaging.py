"""The wheel holds the four packages and the sample, and works outside the checkout."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("search", "space", "backbones", "studies")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = {"optuna-dashboard"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (found,) = folder.glob("attention_search-*.whl")
    return found


def test_the_wheel_holds_the_four_packages_and_the_sample(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == set(PACKAGES)
    sources = {
        str(path.relative_to(ROOT)) for name in PACKAGES for path in (ROOT / name).rglob("*.py")
    }
    assert sources <= names
    for part in ("train", "validation", "test"):
        assert f"search/samples/{part}.webp" in names
    for part in ("page.jinja", "page.css", "page.js"):
        assert f"studies/report/{part}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert wheel.stat().st_size < 10_000_000


def test_the_installed_wheel_answers_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    target, empty = tmp_path / "target", tmp_path / "empty"
    empty.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", str(target), str(wheel)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    for arguments, expected in (
        (["-m", "search", "--help"], "Which attention"),
        (["-c", "import search; print(search.__file__)"], str(target)),
        (
            ["-c", "from search.training.data import load; print(load('cifar10-sample'))"],
            "Split(train_images",
        ),
    ):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=empty,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert expected in done.stdout


def test_every_imported_package_is_a_direct_dependency() -> None:
    used = ("dashboard", "onnx", "postgresql", "ray")
    extras = (PROJECT["optional-dependencies"][name] for name in used)
    declared = [*PROJECT["dependencies"], *chain(*extras)]
    names = {re.split(r"[\[>=]", one)[0].lower() for one in declared}
    distributions = packages_distributions()
    for name in PACKAGES:
        for path in (ROOT / name).rglob("*.py"):
            for module in imported(path) - set(PACKAGES) - sys.stdlib_module_names:
                owners = {one.lower() for one in distributions.get(module, [module])}
                assert owners & names, f"{path.name} imports {module}"


def test_no_declared_dependency_is_unused() -> None:
    distributions = packages_distributions()
    used = {
        owner.lower()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*.py")
        for module in imported(path) - set(PACKAGES) - sys.stdlib_module_names
        for owner in distributions.get(module, ())
    }
    declared = {one.split(">")[0].lower() for one in PROJECT["dependencies"]}
    assert declared <= used | OPTIONAL


def test_the_readme_names_every_command() -> None:
    from search.cli import app

    text = (ROOT / "README.md").read_text()
    for command in app.registered_commands:
        assert f"`search {command.name}" in text
    assert "make run" in text
    assert "make test" in text


def imported(path: Path) -> set[str]:
    """Return the top-level names that a file imports, relative ones left out."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name.split(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found
