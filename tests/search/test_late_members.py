"""What joined the front late is trained again for its weights, and nothing else changes."""

from dataclasses import replace
from pathlib import Path

import pytest

from search import session
from search.cli import run_command
from search.config import StudyConfig, config_of
from search.driver import Driver, Limits
from search.executors import Done, Event, Failed, Job
from search.front_files import front_folder, kept_weights
from search.late_members import keep_late_members, without_weights
from search.listener import Listener
from studies import OpenStudy, create_or_open, evaluations, open_existing, read_front
from studies.store.artifacts import artifact_folder, attached
from tests.search.fake_trainer import fake_bits
from tests.search.scripted import SETTINGS, Reply, ScriptedExecutor, succeed

PICTURES = {"architecture.svg", "gates.png"}


def keeping(job: Job) -> list[Event]:
    """Do a job as a worker does that keeps whatever it is asked for."""
    if job.keep is not None and job.keep.required:
        job.keep.weights.write_text(job.architecture)
        if job.keep.gates is not None:
            job.keep.gates.write_bytes(b"\x89PNG")
    return succeed(job)


def driver_of(study: OpenStudy, config: StudyConfig, reply: Reply) -> Driver:
    return Driver(study, config, ScriptedExecutor(reply), listener=Listener())


@pytest.fixture
def config() -> StudyConfig:
    return config_of({**SETTINGS, "backbone": "resnet8"})


@pytest.fixture
def late(tmp_path: Path, config: StudyConfig) -> OpenStudy:
    """Return a study of 16 trainings of which no weights were kept, as if none had come near."""
    study = create_or_open(f"sqlite:///{tmp_path}/study.db", "attention", config.settings())
    assert driver_of(study, config, succeed).run(Limits(16), lambda: False) == "total"
    return study


def test_every_member_has_its_weights_afterwards_and_the_study_is_as_before(
    late: OpenStudy, config: StudyConfig
) -> None:
    before, front, lines = evaluations(late), read_front(late), list[str]()
    missing = without_weights(late)
    assert {one.digest for one in missing} == {row.digest for row in front.rows}
    driver = driver_of(late, config, keeping)
    driver.board.read()
    assert keep_late_members(driver, lines.append, lambda: True)
    assert without_weights(late) == []
    for row in front.rows:
        path = kept_weights(late, before, row.digest)
        assert path is not None
        assert path.read_text() == row.architecture.to_json()
    assert (evaluations(late), read_front(late).rows) == (before, front.rows)
    assert len(lines) == 1 + len(missing)
    assert all("as the first time, image by image" in line for line in lines[1:])
    again = driver_of(late, config, lambda job: pytest.fail(f"job {job.id} was trained again"))
    assert keep_late_members(again, pytest.fail, lambda: True)


def test_it_is_trained_as_the_first_time(late: OpenStudy, config: StudyConfig) -> None:
    driver = driver_of(late, config, keeping)
    driver.board.read()
    missing = without_weights(late)
    keep_late_members(driver, lambda _line: None, lambda: True)
    assert isinstance(driver.executor, ScriptedExecutor)
    for row, job in zip(missing, driver.executor.jobs, strict=True):
        assert (job.architecture, job.seed) == (row.architecture.to_json(), row.seed)
        assert job.protocol == config.protocol
        assert job.checkpoint is not None


def test_pictures_hang_on_finished_trials_once_and_the_dashboard_finds_them(
    late: OpenStudy, config: StudyConfig
) -> None:
    backend = pytest.importorskip("optuna_dashboard.artifact._backend")
    numbers = [one.trial for one in without_weights(late)]
    for _ in range(2):
        driver = driver_of(late, config, keeping)
        driver.board.read()
        keep_late_members(driver, lambda _line: None, lambda: True)
        for path in front_folder(late).iterdir():
            path.unlink()
    storage = late.optuna._storage
    named = storage.get_study_system_attrs(late.optuna._study_id)
    for number in numbers:
        trial = late.optuna.trials[number or 0]
        assert attached(late, trial) == PICTURES
        shown = backend.list_trial_artifacts(named, trial.system_attrs, trial)
        assert sorted(one["filename"] for one in shown) == sorted(PICTURES)
        for one in shown:
            assert (artifact_folder(late.url) / one["artifact_id"]).stat().st_size > 0
            found = backend.get_trial_artifact_meta(
                storage, late.optuna._study_id, trial._trial_id, one["artifact_id"]
            )
            assert found == one


def test_what_may_not_start_waits_for_the_next_run(late: OpenStudy, config: StudyConfig) -> None:
    driver = driver_of(late, config, keeping)
    driver.board.read()
    assert not keep_late_members(driver, lambda _line: None, lambda: False)
    assert len(without_weights(late)) == len(read_front(late).rows)


def test_a_failure_is_said_and_leaves_no_file(late: OpenStudy, config: StudyConfig) -> None:
    """The first fails, the second counts other MACs than were priced."""

    def reply(job: Job) -> list[Event]:
        *epochs, done = keeping(job)
        if job.id == 0:
            return [Failed(job.id, job.attempt, "the loss became nan in epoch 1")]
        assert isinstance(done, Done)
        return [*epochs, replace(done, outcome=replace(done.outcome, macs=1))]

    lines = list[str]()
    driver = driver_of(late, config, reply)
    driver.board.read()
    assert keep_late_members(driver, lines.append, lambda: True)
    assert "could not be trained again for its weights: the loss became nan" in lines[1]
    assert all("could not be trained again" in line for line in lines[1:])
    assert list(front_folder(late).iterdir()) == []


def test_another_outcome_is_said_and_the_first_one_stands(
    late: OpenStudy, config: StudyConfig
) -> None:
    def reply(job: Job) -> list[Event]:
        *epochs, done = keeping(job)
        assert isinstance(done, Done)
        other = replace(done.outcome, accuracy=0.5, correct=fake_bits(0.5, job.seed))
        curve = [replace(one, epoch=replace(one.epoch, accuracy=0.5)) for one in epochs]  # type: ignore[arg-type, union-attr]
        return [*curve, replace(done, outcome=other)]

    lines, before = list[str](), evaluations(late)
    driver = driver_of(late, config, reply)
    driver.board.read()
    keep_late_members(driver, lines.append, lambda: True)
    assert all("% the first time)" in line for line in lines[1:])
    assert evaluations(late) == before


def test_the_same_command_again_brings_back_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session, "TRAINER", "tests.search.fake_trainer:train")
    url = f"sqlite:///{tmp_path}/study.db"
    run = ["run", "--trials", "6", "--storage", url, "--device", "cpu", "--workers", "1"]
    assert run_command([*run, "--dataset", "cifar10-sample", "--epochs", "1"]) == 0
    study = open_existing(url, "attention")
    assert without_weights(study) == []
    before = evaluations(study)
    members = {row.digest for row in read_front(study).rows}
    for path in front_folder(study).glob("*.safetensors"):
        path.unlink()
    assert {one.digest for one in without_weights(study)} == members
    capsys.readouterr()
    assert run_command(run) == 0
    shown = capsys.readouterr().out
    assert "weights kept" in shown
    assert "resnet20 goes on with 6 of 6 trainings done\n" in shown
    assert without_weights(study) == []
    assert evaluations(study) == before
    assert run_command(run) == 0
    assert "the study has its 6 trainings" in capsys.readouterr().out
