"""kill -9 of `search confirm` and `search baselines`: nothing is trained or read twice."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from studies import open_existing
from studies.confirmation.ledger import readings

SCRIPT = Path(__file__).parent / "confirming_process.py"
SETTINGS = ["--dataset", "cifar10-sample", "--backbone", "resnet8", "--epochs", "2"]
FEW = [*SETTINGS, "--train-images", "200"]
RUN = ["run", *FEW, "--trials", "8", "--no-references"]
SHOW = ["--format", "json"]
ASKED = {
    "study": ["confirm", "--top", "1", "--seeds", "2", "--epochs", "2", "--yes", *SHOW],
    "baselines": ["baselines", *FEW, "--kinds", "se,eca,gam", "--confirm", *SHOW],
}  # by the name of the database
STUDIES = {"study": "attention", "baselines": "baselines"}
GONE_SECONDS = 5.0


def start(folder: Path, words: list[str]) -> subprocess.Popen[str]:
    """Return the command behind its imports."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *words, "--device", "cpu", "--workers", "1"],
        cwd=folder,
        env={**os.environ, "FAKE_SECONDS": "0.02"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def finished(folder: Path, words: list[str]) -> str:
    output, errors = (process := start(folder, words)).communicate(timeout=120)
    assert process.returncode == 0, errors
    return output


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a finished study."""
    folder = tmp_path_factory.mktemp("study")
    finished(folder, RUN)
    return folder


@pytest.fixture(scope="module")
def undisturbed(study: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return what both commands show when nothing happens to them, by database."""
    folder = tmp_path_factory.mktemp("undisturbed") / "study"
    shutil.copytree(study, folder)
    return {name: without_times(finished(folder, words)) for name, words in ASKED.items()}


def without_times(output: str) -> object:
    """Return a JSON document without what a clock measured."""

    def drop(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return {name: value for name, value in pairs if "seconds" not in name}

    return json.loads(output, object_pairs_hook=drop)


@pytest.mark.slow
@pytest.mark.parametrize("line", ["   2 of ", "   5 of ", "test images read, 2 of "])
@pytest.mark.parametrize("name", ASKED)
def test_what_is_killed_goes_on_to_the_undisturbed_result(
    name: str, line: str, study: Path, tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    folder = tmp_path / "study"
    shutil.copytree(study, folder)
    process = start(folder, ASKED[name])
    assert process.stderr is not None
    assert any(line in one for one in process.stderr)  # the next training or reading runs now
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, timeout=GONE_SECONDS)
    assert not alive
    assert without_times(finished(folder, ASKED[name])) == undisturbed[name]
    opened = open_existing(f"sqlite:///{folder}/{name}.db", STUDIES[name])
    with opened.engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        entries = connection.execute(text("select count(*) from attention_test_ledger")).scalar()
    seen = [one.extra_id for one in readings(opened)]
    assert len(seen) == len(set(seen)) == entries
    assert seen
