"""A trial that is begun without reading those that run is the one that Optuna would begin."""

import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from studies import OpenStudy
from studies.store.asking import has_queued, unread_ask


def drawn(trial: optuna.Trial) -> float:
    return trial.suggest_float("x", 0.0, 1.0)


def test_trials_are_numbered_on_and_run(study: OpenStudy) -> None:
    asked = [study.optuna.ask().number, unread_ask(study).number, unread_ask(study).number]
    states = [trial.state for trial in study.optuna.get_trials(deepcopy=False)]
    assert (asked, states) == ([0, 1, 2], [TrialState.RUNNING] * 3)


def test_the_sampler_draws_what_it_would_draw_for_optuna(study: OpenStudy) -> None:
    study.optuna.sampler = RandomSampler(seed=5)
    expected = drawn(study.optuna.ask())
    study.optuna.sampler = RandomSampler(seed=5)
    trial = unread_ask(study)
    assert drawn(trial) == expected
    assert study.optuna.get_trials(deepcopy=False)[trial.number].params == {"x": expected}


def test_a_queued_trial_comes_first(study: OpenStudy) -> None:
    unread_ask(study)
    assert not has_queued(study)
    study.optuna.enqueue_trial({"x": 0.25})
    assert has_queued(study)
    trial = unread_ask(study)
    assert (trial.number, drawn(trial)) == (1, 0.25)
    assert not has_queued(study)


def test_another_study_s_queue_is_not_this_one_s(study: OpenStudy) -> None:
    other = optuna.create_study(storage=study.optuna._storage, study_name="other")
    other.enqueue_trial({"x": 0.25})
    assert not has_queued(study)


def test_no_trial_that_runs_is_read(study: OpenStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    unread_ask(study)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("all trials were read")

    monkeypatch.setattr(RDBStorage, "_get_trials", refuse)
    assert unread_ask(study).number == 1
