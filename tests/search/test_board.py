"""When the driver's memory of a study works out its front anew."""

import pytest

from search import board as board_module
from search import opened
from search.board import Board
from search.config import StudyConfig
from search.opened import open_status
from studies import Evaluation, OpenStudy, store_front
from studies.front import Front, front_of
from tests.search.scripted import ScriptedExecutor, succeed
from tests.search.test_driver import drive


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return, as they come, of how many trainings a front was worked out."""
    found: list[int] = []

    def counted(known: tuple[Evaluation, ...], *rest: object) -> Front:
        found.append(len(known))
        return front_of(known, *rest)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr(board_module, "front_of", counted)
    return found


def test_every_ending_of_a_small_study_counts_at_once(
    study: OpenStudy, config: StudyConfig, made: list[int]
) -> None:
    board = Board(study, config)
    for _ in range(3):
        board.learn()
        assert board.front is board.front
    assert len(made) == 3


def test_many_trainings_are_estimated_anew_when_some_have_ended(
    study: OpenStudy, config: StudyConfig, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of six trainings four are beyond the first two: half of these, two, may wait."""
    drive(study, config, ScriptedExecutor(succeed), 3)  # and three references
    made.clear()
    monkeypatch.setattr(board_module, "MANY", 2)
    monkeypatch.setattr(board_module, "RARER", 0.5)
    board = Board(study, config)
    board.read()
    assert board.store_front()
    for _ in range(2):
        board.learn()
        assert board.front.num_ended == 6
    assert len(made) == 1
    board.learn()
    assert board.front.num_ended == 6
    assert len(made) == 2
    board.learn()
    assert board.store_front(now=True)  # the end of a run leaves nothing out
    assert len(made) == 3


def test_the_status_of_a_large_study_is_the_stored_one_and_says_of_what(
    study: OpenStudy, config: StudyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive(study, config, ScriptedExecutor(succeed), 3)
    whole = open_status(study.url, study.name)
    assert not any("without the last" in line for line in whole)
    board = Board(study, config)
    board.read()
    few = list(board.known.values())[:4]
    store_front(study, front_of(few, config.backbone, config.cost))
    assert open_status(study.url, study.name) == whole  # few: estimated anew
    monkeypatch.setattr(opened, "MOST_ANEW", 0)
    found = open_status(study.url, study.name)
    assert any("without the last 2 trainings" in line for line in found)
