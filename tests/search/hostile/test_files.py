"""Files that should hold an architecture or a protocol, and settings out of nowhere."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from search.config import Protocol, StudyConfig, config_of
from space import Refusal
from tests.search.hostile.documents import ARCHITECTURE, PROTOCOL, SCALARS, VALUES, contents
from tests.search.hostile.judged import judge

SUFFIXES = st.sampled_from([".yaml", ".yml", ".json"])
SETTINGS: dict[str, Any] = {
    "dataset": "cifar10-sample",
    "train_images": 100,
    "epochs": 1,
    "batch_size": 10,
    "learning_rate": 0.1,
    "backbone": "resnet20",
}
NAMES = [*Protocol.model_fields, *StudyConfig.model_fields]


def judge_file(content: bytes, name: str, words: list[str], template: Path) -> None:
    path = template / name  # the working folder is put back from there
    path.write_bytes(content)
    try:
        Path(name).write_bytes(content)
        judge([*words, "--device", "cpu", "--dataset", "cifar10-sample"], template)
    finally:
        path.unlink()
        Path(name).unlink()


@given(content=contents(ARCHITECTURE), suffix=SUFFIXES)
def test_an_architecture_file_is_refused_in_one_line_or_taken(
    content: bytes, suffix: str, template: Path
) -> None:
    name = f"drawn{suffix}"
    judge_file(content, name, ["train", name], template)


@given(content=contents(PROTOCOL), suffix=SUFFIXES)
def test_a_protocol_file_is_refused_in_one_line_or_taken(
    content: bytes, suffix: str, template: Path
) -> None:
    name = f"drawn{suffix}"
    judge_file(content, name, ["run", "--protocol", name], template)


@given(changed=st.dictionaries(st.sampled_from(NAMES), SCALARS | VALUES, max_size=4))
def test_settings_are_refused_by_name_or_taken(changed: dict[str, object]) -> None:
    refusal = None
    try:
        config_of({**SETTINGS, **changed})
    except Refusal as error:
        refusal = str(error)
    assert refusal is None or (refusal.startswith("--") and len(refusal.splitlines()) == 1)
