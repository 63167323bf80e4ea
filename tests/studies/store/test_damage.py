"""A database that something else wrote to is refused by the table and the value."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from search.config import StudyConfig
from space import Refusal, plain
from studies import (
    Epoch,
    OpenStudy,
    Outcome,
    add_epoch,
    add_proposal,
    complete,
    create_or_open,
    curves,
    database_path,
    evaluations,
    existing_settings,
    open_existing,
)

PLAIN = plain("resnet8")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return a file's: a server keeps its values whole, and its columns to their types."""
    return f"sqlite:///{tmp_path / 'study.db'}"


@pytest.fixture
def finished(study: OpenStudy) -> OpenStudy:
    """Return a study with one training that has ended."""
    row = add_proposal(study, PLAIN, trial=0, proposal=0, purpose="trial", seed=0)
    add_epoch(study, row.id, 1, Epoch(1, 2.0, 2.1, 0.5, 5.0))
    complete(study, row.id, 1, Outcome(0.5, b"\xf0", 12, 34, 5.5, 678.0))
    return study


def write(study: OpenStudy, change: str, *values: object) -> None:
    with closing(sqlite3.connect(database_path(study.url))) as connection:
        connection.execute(change, values)
        connection.commit()


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("accuracy", "high", "attention_evaluations.accuracy must be float, got 'high'"),
        ("accuracy", float("inf"), "training 1 must be one of ours, got .* accuracy inf"),
        ("accuracy", 1.5, "training 1 must be one of ours, got .* accuracy 1.5"),
        ("accuracy", None, "training 1 must be one of ours, got .* accuracy None"),
        ("state", "done", "training 1 must be one of ours, got trial that is done"),
        ("purpose", b"\xff", "purpose must be str, got b'.xff'"),
        ("macs", 0, "training 1 must be one of ours, got .* 0 MACs"),
        ("macs", "{}", "attention_evaluations.macs must be int, got '{}'"),
        ("architecture", "{", "JSON"),
        ("architecture", "[" * 50_000, "JSON"),
        ("finished_at", "2024-13-45", "the table of trainings cannot be read: "),
    ],
)
def test_a_damaged_training_is_refused(
    column: str, value: object, rule: str, finished: OpenStudy
) -> None:
    write(finished, f"update attention_evaluations set {column} = ?", value)
    with pytest.raises(Refusal, match=rule):
        evaluations(finished)


def test_trainings_that_judged_other_images_are_refused(finished: OpenStudy) -> None:
    row = add_proposal(finished, PLAIN, trial=1, proposal=1, purpose="trial", seed=1)
    complete(finished, row.id, 1, Outcome(0.5, b"\xf0", 12, 34, 5.5, 678.0))
    assert len(evaluations(finished)) == 2
    write(finished, "update attention_evaluations set correct = x'' where id = 1")
    with pytest.raises(Refusal, match=r"judge the same images, got \[0, 1\] bytes .* 1, 2; "):
        evaluations(finished)


def test_a_damaged_epoch_is_refused(finished: OpenStudy) -> None:
    write(finished, "update attention_epochs set train_loss = 'low'")
    with pytest.raises(Refusal, match=r"attention_epochs\.train_loss must be float, got 'low'"):
        curves(finished)


def test_an_infinite_validation_loss_is_no_damage(study: OpenStudy) -> None:
    row = add_proposal(study, PLAIN, trial=0, proposal=0, purpose="trial", seed=0)
    add_epoch(study, row.id, 1, Epoch(1, 2.0, float("inf"), 0.5, 5.0))
    assert curves(study)[row.id][0].validation_loss == float("inf")


@pytest.mark.parametrize(
    ("change", "value", "rule"),
    [
        ("attention_studies set settings", "{", "the study cannot be read: Expecting"),
        ("attention_studies set settings", "[1]", "the study cannot be read: "),
        ("attention_studies set settings", "{}", "the study's backbone must be str, got None"),
        ("attention_studies set schema_version", "x", "schema_version must be int, got 'x'"),
        ("attention_studies set created_at", "x", "the study cannot be read: "),
        ("study_directions set direction", "x", "the study cannot be read: 'x' is not among"),
        ("study_user_attributes set value_json", "null", "attention_study_uid must be str, got N"),
        ("study_user_attributes set value_json", "x", "the study cannot be read: Expecting"),
    ],
)
def test_a_damaged_study_is_refused_and_not_taken_for_a_new_one(
    change: str, value: str, rule: str, study: OpenStudy, small_config: StudyConfig
) -> None:
    write(study, f"update {change} = ?", value)
    with pytest.raises(Refusal, match=rule):
        open_existing(study.url, study.name)
    with pytest.raises(Refusal, match=rule):
        existing_settings(study.url, study.name)
    with pytest.raises(Refusal, match=rule):
        create_or_open(study.url, study.name, small_config.settings())


def test_another_programs_database_is_not_changed_by_a_byte(
    url: str, small_config: StudyConfig
) -> None:
    path = database_path(url)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table bookmarks (id)")
    before = path.read_bytes()
    with pytest.raises(Refusal, match="holds no study of this program"):
        open_existing(url, "attention")
    with pytest.raises(Refusal, match="holds no study of this program"):
        create_or_open(url, "attention", small_config.settings())
    assert path.read_bytes() == before
    path.write_bytes(b"")
    with pytest.raises(Refusal, match="holds no study of this program"):
        open_existing(url, "attention")
    assert path.read_bytes() == b""
