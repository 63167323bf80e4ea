"""What the dashboard shows of a study beside its own plots."""

import io
import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
from optuna.artifacts import FileSystemArtifactStore
from sqlalchemy.exc import OperationalError

from search.cli import run_command
from search.config import StudyConfig, config_of
from search.dashboard import serve, snapshot
from search.dashboard_feed import (
    AREA,
    FIGURE,
    MEMBER,
    NOTE,
    STAGES,
    feed,
    note_of,
    save_member_notes,
    save_note,
)
from search.driver import Driver, Limits
from search.listener import Listener
from space import Refusal
from studies import OpenStudy, create_or_open, open_existing, read_front
from studies.store.artifacts import artifact_folder
from tests.search.scripted import SETTINGS, ScriptedExecutor

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
    feed(study, config, read_front(study), "title")
    assert notes.get_note(study.optuna) == ""


def test_the_note_is_written_once(study: OpenStudy, config: StudyConfig, tmp_path: Path) -> None:
    save_note(study, config)
    before = (tmp_path / "study.db-wal").stat().st_size
    save_note(study, config)
    assert (tmp_path / "study.db-wal").stat().st_size == before


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> OpenStudy:
    """Return a study of 12 trainings."""
    folder = tmp_path_factory.mktemp("fed")
    config = config_of({**SETTINGS, "backbone": "resnet8", "sampler": "random"})
    made = create_or_open(f"sqlite:///{folder}/study.db", "attention", config.settings())
    driver = Driver(made, config, ScriptedExecutor(), listener=Listener())
    assert driver.run(Limits(12), lambda: False) == "total"
    return made


def note_on(study: OpenStudy, trial: int) -> str:
    """Return the note on a trial as the dashboard's server reads it."""
    from optuna_dashboard._note import get_note_from_system_attrs

    storage = study.optuna._storage
    attributes = storage.get_study_system_attrs(study.optuna._study_id)
    number = study.optuna.get_trials(deepcopy=False)[trial]._trial_id
    return str(get_note_from_system_attrs(attributes, number)["body"])


def test_a_study_is_fed_with_three_figures_and_a_note_on_each_member(finished: OpenStudy) -> None:
    from optuna_dashboard._custom_plot_data import list_graph_object_ids

    front = read_front(finished)
    config = config_of(dict(finished.settings))
    feed(finished, config, front, "Front")
    attributes = finished.optuna._storage.get_study_system_attrs(finished.optuna._study_id)
    assert set(list_graph_object_ids(attributes)) == {FIGURE, AREA, STAGES}
    members = {row.trial: row for row in front.rows}
    for trial in range(12):
        text = note_on(finished, trial)
        assert text.startswith(MEMBER) == (trial in members)
        if trial in members:
            row = members[trial]
            assert "backbone: resnet8" in text
            assert f"(n = {row.estimate.num_evaluations})" in text


def test_who_leaves_the_front_loses_the_note_but_not_the_users_own(finished: OpenStudy) -> None:
    front = read_front(finished)
    save_member_notes(finished, front)
    others = [one for one in front.points if one not in front.rows][:1]
    save_member_notes(finished, replace(front, rows=(*front.rows[:1], *others)))
    assert note_on(finished, others[0].trial).startswith(MEMBER)
    for row in front.rows[1:]:
        assert note_on(finished, row.trial) == ""
    save_member_notes(finished, front)
    assert note_on(finished, others[0].trial) == ""


def asked(
    app: Callable[..., Iterable[bytes]], method: str, path: str, words: object = None
) -> str:
    """Ask the dashboard's server without a socket; return its status."""
    heard: list[str] = []
    body = json.dumps(words).encode()
    environ: dict[str, object] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    setup_testing_defaults(environ)
    b"".join(app(environ, lambda status, _headers, _info=None: heard.append(status)))
    return heard[0]


def test_a_snapshot_shows_everything_and_takes_no_change(
    finished: OpenStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores: list[FileSystemArtifactStore] = []

    def run_server(_: object, *, artifact_store: FileSystemArtifactStore, **__: object) -> None:
        stores.append(artifact_store)

    monkeypatch.setattr("optuna_dashboard.run_server", run_server)
    pictures = artifact_folder(finished.url)
    pictures.mkdir(exist_ok=True)
    (pictures / "mine").write_text("a picture")
    with snapshot(finished.url, pictures) as (storage, its_pictures):
        kept = {one.name for one in its_pictures.iterdir()}
        serve(storage, 65531, lambda _: None, artifacts=its_pictures)
        (store,) = stores
        app = notes.wsgi(storage, store)
        for path in ("/api/studies", "/api/studies/1", "/api/meta"):
            assert asked(app, "GET", path) == "200 OK"
        new = {"study_name": "new", "directions": ["minimize"]}
        for method, path in (
            ("DELETE", "/api/studies/1"),
            ("POST", "/api/studies/1/rename"),
            ("POST", "/api/studies"),
        ):
            assert asked(app, method, path, new).startswith("500 ")
        with storage.engine.connect() as connection:
            for table in ("studies", "trials"):
                with pytest.raises(OperationalError, match="readonly database"):
                    connection.exec_driver_sql(f"DELETE FROM {table}")
        with pytest.raises(Refusal, match="keeps its pictures"):
            store.remove(min(kept))
        assert {one.name for one in its_pictures.iterdir()} == kept
        assert len(storage.get_all_trials(1)) == 12
    assert not its_pictures.exists()
    assert len(open_existing(finished.url, "attention").optuna.trials) == 12


def test_a_snapshot_for_which_there_is_no_space_is_refused_in_one_line(
    finished: OpenStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("studies.store.backup._copy", full)
    assert run_command(["dashboard", "--storage", finished.url, "--snapshot"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no space left for the database" in line


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, str]]:
    """Return the storages and hosts that a server was started with; none is."""
    found: list[tuple[object, str]] = []

    def run_server(storage: object, *, host: str, **_: object) -> None:
        found.append((storage, host))

    monkeypatch.setattr("optuna_dashboard.run_server", run_server)
    return found


PORT = ["--port", "65531"]


def test_the_dashboard_is_for_this_machine_unless_asked_otherwise(
    finished: OpenStudy, served: list[tuple[object, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    for given in ([], ["--host", "127.0.0.2"], ["--host", "localhost"]):
        assert run_command(["dashboard", "--storage", finished.url, *PORT, *given]) == 0
        assert "warning" not in capsys.readouterr().out
    assert [host for _, host in served] == ["127.0.0.1", "127.0.0.2", "localhost"]


@pytest.mark.parametrize(("given", "more"), [([], ", and delete it"), (["--snapshot"], "")])
def test_a_dashboard_for_others_warns_what_they_may_do(
    given: list[str],
    more: str,
    finished: OpenStudy,
    served: list[tuple[object, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    here = ["--storage", finished.url, *PORT, "--host", "0.0.0.0"]
    assert run_command(["dashboard", *here, *given]) == 0
    warning, address = capsys.readouterr().out.splitlines()
    assert warning == (
        "warning: the dashboard has no authentication; whoever reaches 0.0.0.0 can read this "
        f"study{more}"
    )
    assert address.startswith("http://0.0.0.0:65531/dashboard")
    assert [host for _, host in served] == ["0.0.0.0"]


@pytest.mark.parametrize("host", ["", "::1"])
def test_a_host_that_is_none_is_refused(
    host: str,
    finished: OpenStudy,
    served: list[tuple[object, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(["dashboard", "--storage", finished.url, *PORT, "--host", host]) == 2
    assert "--host must be an IPv4 address" in capsys.readouterr().err
    assert served == []


@pytest.mark.slow
def test_a_servers_study_is_served_but_not_copied(
    server_url: str,
    config: StudyConfig,
    served: list[tuple[object, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    create_or_open(server_url, "attention", config.settings())
    assert run_command(["dashboard", "--storage", server_url, *PORT]) == 0
    ((storage, _),) = served
    assert isinstance(storage, optuna.storages.RDBStorage)
    assert optuna.get_all_study_names(storage) == ["attention"]
    assert run_command(["dashboard", "--storage", server_url, *PORT, "--snapshot"]) == 2
    assert "--snapshot copies a SQLite file" in capsys.readouterr().err
