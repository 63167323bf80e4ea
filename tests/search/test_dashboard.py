"""The note that the dashboard shows on a study."""

from pathlib import Path

import pytest

from search.config import StudyConfig, config_of
from search.dashboard import FIGURE, NOTE, note_of, save_note
from studies import OpenStudy
from tests.search.scripted import SETTINGS

notes = pytest.importorskip("optuna_dashboard")


def test_the_note_says_what_is_raw_where_the_front_is_and_the_budgets(config: StudyConfig) -> None:
    limited = config_of({**SETTINGS, "max_macs": 45_000_000, "max_params": 400_000})
    text = note_of(limited)
    assert text.startswith(NOTE)
    for part in ("one training", FIGURE, "pareto_front", "at most 45 M macs and 400 k params"):
        assert part in text
    assert "no limit of cost" in note_of(config)


def test_the_note_is_kept_on_the_study_and_follows_it(
    study: OpenStudy, config: StudyConfig
) -> None:
    save_note(study, config)
    assert notes.get_note(study.optuna) == note_of(config)
    limited = config_of({**SETTINGS, "max_macs": 45_000_000})
    save_note(study, limited)
    assert notes.get_note(study.optuna) == note_of(limited)


def test_a_note_of_the_users_own_stays(study: OpenStudy, config: StudyConfig) -> None:
    notes.save_note(study.optuna, "ask Ada about trial 7")
    save_note(study, config)
    assert notes.get_note(study.optuna) == "ask Ada about trial 7"


def test_without_the_extra_nothing_is_saved(
    study: OpenStudy, config: StudyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.dashboard.find_spec", lambda _: None)
    save_note(study, config)
    assert notes.get_note(study.optuna) == ""


def test_the_note_is_written_once(study: OpenStudy, config: StudyConfig, tmp_path: Path) -> None:
    save_note(study, config)
    before = (tmp_path / "study.db-wal").stat().st_size
    save_note(study, config)
    assert (tmp_path / "study.db-wal").stat().st_size == before
