"""A study that an older version made opens for ever: it is shown, and goes on as it began."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from optuna.trial import TrialState

from search.cli import app, run_command
from search.config import config_of
from search.driver import Driver, Limits
from search.listener import Listener
from search.opened import open_status
from search.recovery import recover
from search.session import resolve_config
from space import Refusal
from studies import (
    attempts,
    create_or_open,
    curves,
    database_path,
    evaluations,
    gates,
    only_driver,
    open_existing,
    read_front,
    store_front,
)
from studies.store.sessions import sessions
from tests.search.scripted import ScriptedExecutor, learn
from tests.studies.store.dumps import NAMES, STUDY, restored

TRAININGS = {"six_kinds": 4, "attempts": 4, "early_stop": 4, "first_release": 8}
# Every command that opens a study, with what it needs to come that far.
COMMANDS = (
    *("status", "front", "fidelity", "plot", "report", "explain", "export --out best", "confirm"),
    *("dashboard", "baselines --device cpu", "run --device cpu --dataset cifar10-sample"),
)
GO_ON = (
    pytest.param("attempts", marks=pytest.mark.slow),
    pytest.param("early_stop", marks=pytest.mark.slow),
    "first_release",
)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_whole(name: str, tmp_path: Path) -> None:
    study = open_existing(restored(name, tmp_path), STUDY)
    rows = evaluations(study)
    assert sum(row.counts for row in rows) == TRAININGS[name]
    assert [row.architecture.is_plain for row in rows[:3]] == [True] * 3
    assert all(row.is_final and row.accuracy is not None for row in rows)
    assert all(len(curves(study)[row.id]) == 2 for row in rows)
    trials = study.optuna.get_trials(deepcopy=False)
    assert [one.state for one in trials] == [TrialState.COMPLETE] * TRAININGS[name]
    assert [one.values[0] for one in trials] == [
        row.accuracy for row in rows if row.trial is not None
    ]


def test_the_first_release_keeps_all_that_it_stored(tmp_path: Path) -> None:
    study = open_existing(restored("first_release", tmp_path), STUDY)
    rows = evaluations(study)
    assert len(attempts(study)) == len(rows) == 10  # two reference networks among them
    assert all(one.times is not None for one in attempts(study))
    se = next(row for row in rows if not row.architecture.is_plain)
    assert se.architecture.stages[0][0].attention.kind == "se"
    assert len(gates(study, se)) == 3  # one block in each of three stages
    (session,) = sessions(study)
    assert (session.ending, session.surroundings.device) == ("total", "cpu")
    assert study.optuna.metric_names == ["accuracy", "macs"]


@pytest.mark.parametrize("name", NAMES)
def test_commands_show_it(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = restored(name, tmp_path)
    lines = open_status(url, STUDY)
    assert lines[2].startswith(f"trainings: {TRAININGS[name]} complete ")
    assert "(2 degrees of freedom)" in lines[4]
    assert run_command(["front", "--storage", url, "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].count("plain") == 1


@pytest.mark.parametrize("name", GO_ON)
def test_it_goes_on_as_it_began(name: str, tmp_path: Path) -> None:
    url = restored(name, tmp_path)
    config = resolve_config({}, url, STUDY, device="cpu", precision="float32")
    before = evaluations(open_existing(url, STUDY))
    with only_driver(url, STUDY):
        study = create_or_open(url, STUDY, config.settings())
        assert recover(study) == ()
        driver = Driver(study, config, ScriptedExecutor(learn), listener=Listener())
        assert driver.run(Limits(TRAININGS[name] + 2), lambda: False) == "total"
        store_front(study, read_front(study))
    rows = evaluations(study)
    assert rows[: len(before)] == before
    assert sum(row.counts for row in rows) == TRAININGS[name] + 2
    assert [row.proposal for row in rows] == list(range(len(rows)))
    assert {row.state for row in rows} == {"complete"}


def test_a_study_of_another_space_is_shown_and_refused_to_go_on(tmp_path: Path) -> None:
    """Optuna would refuse other choices only after a trial had been asked for."""
    url = restored("six_kinds", tmp_path)
    config = resolve_config({}, url, STUDY, device="cpu", precision="float32")
    assert config.kinds == ("se", "cbam", "non_local", "dual", "criss_cross", "gam")
    with pytest.raises(Refusal, match="name another --study, or use that one"):
        create_or_open(url, STUDY, config.settings())
    assert len(open_existing(url, STUDY).optuna.get_trials(deepcopy=False)) == 4


def test_it_goes_on_after_a_training_was_cut_short(tmp_path: Path) -> None:
    """The driver died during the last training: its row runs, and so does its trial."""
    url = restored("first_release", tmp_path)
    with closing(sqlite3.connect(database_path(url))) as connection:
        connection.executescript(
            """
            UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE number = 7;
            DELETE FROM trial_values WHERE trial_id IN
                (SELECT trial_id FROM trials WHERE number = 7);
            UPDATE attention_evaluations SET state = 'running', accuracy = NULL, correct = NULL
                WHERE trial = 7;
            DELETE FROM attention_gates WHERE evaluation_id IN
                (SELECT id FROM attention_evaluations WHERE trial = 7);
            """
        )
    config = config_of(dict(open_existing(url, STUDY).settings))
    study = create_or_open(url, STUDY, config.settings())
    (again,) = recover(study)
    assert (again.trial, again.attempt) == (7, 2)
    driver = Driver(study, config, ScriptedExecutor(learn), listener=Listener())
    assert driver.run(Limits(8), lambda: False) == "total"
    assert [one.state for one in study.optuna.get_trials()] == [TrialState.COMPLETE] * 8


def test_every_command_refuses_a_newer_study_in_one_line_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = restored("first_release", tmp_path)
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect(database_path(url))) as connection:
        connection.execute("UPDATE attention_studies SET schema_version = 99")
        connection.commit()
    content = database_path(url).read_bytes()
    for command in COMMANDS:
        assert run_command([*command.split(), "--storage", url]) == 2, command
        shown = capsys.readouterr()
        assert "made by a newer version; update this program" in shown.err, command
        assert shown.err.count("\n") == 1, command
    assert database_path(url).read_bytes() == content
    assert list(tmp_path.iterdir()) == [database_path(url)]


def test_every_command_that_opens_a_study_is_among_those_tried() -> None:
    import typer

    group = typer.main.get_command(app)
    opening = {
        name
        for name, command in group.commands.items()  # type: ignore[attr-defined] # it is a group
        if any("--study" in parameter.opts for parameter in command.params)
    }
    assert {command.partition(" ")[0] for command in COMMANDS} == opening


def test_a_copy_can_be_made_of_what_this_optuna_cannot_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = restored("first_release", tmp_path)
    with closing(sqlite3.connect(database_path(url))) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v2.6.0.a'")
        connection.commit()
    assert run_command(["status", "--storage", url]) == 2
    line = capsys.readouterr().err
    assert f"`search backup --storage {url}` keeps it" in line
    assert f"`optuna storage upgrade --storage {url}` brings it up to date" in line
    assert run_command(["backup", "--storage", url]) == 0
