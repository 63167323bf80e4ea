import json
import re
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from search.config import StudyConfig
from space import Refusal, plain
from studies import (
    OpenStudy,
    add_proposal,
    create_or_open,
    database_of,
    evaluations,
    existing_settings,
    only_driver,
    open_existing,
)
from studies.store.settings import refuse_other_settings
from studies.store.storage import DIRECTIONS
from studies.store.tables import SCHEMA_VERSION, EvaluationRow, StudyRow

Settings = dict[str, object]
HOLDER = """
import sys, time
from studies import only_driver
with only_driver(sys.argv[1], "attention"):
    print("held", flush=True)
    time.sleep(60)
"""
ON_A_FILE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(small_config: StudyConfig) -> Settings:
    return small_config.settings()


def propose(study: OpenStudy) -> None:
    add_proposal(study, plain("resnet8"), trial=0, proposal=0, purpose="trial", seed=1)


def test_a_new_study_holds_its_settings_and_opens_again(url: str, settings: Settings) -> None:
    made = create_or_open(url, "attention", settings)
    assert made.settings == settings
    assert made.optuna.metric_names == ["accuracy", "macs"]
    assert tuple(made.optuna.directions) == DIRECTIONS
    again, read = create_or_open(url, "attention", settings), open_existing(url, "attention")
    assert again.uid == read.uid == made.uid
    assert again.settings == read.settings == settings
    assert existing_settings(url, "attention") == settings


def test_two_studies_in_one_database_do_not_mix(url: str, settings: Settings) -> None:
    one, two = create_or_open(url, "one", settings), create_or_open(url, "two", settings)
    propose(one)
    assert len(evaluations(one)) == 1
    assert evaluations(two) == ()


def test_other_settings_are_refused_with_the_field_and_both_values(
    url: str, settings: Settings
) -> None:
    create_or_open(url, "attention", settings)
    for key, value in (("batch_size", 64), ("cost", "params")):
        rule = f"study attention has {key.replace('_', '-')} {settings[key]}, got {value}; "
        with pytest.raises(Refusal, match=rule):
            create_or_open(url, "attention", {**settings, key: value})
    assert open_existing(url, "attention").optuna.metric_names == ["accuracy", "macs"]


@pytest.mark.parametrize(
    ("own", "other", "words"),
    [
        (13_500_000, None, "13.5 M, got no limit; "),
        (None, 400_000, "no limit, got 400 k; "),
        (44_606_144, 44_600_000, "44606144, got 44600000; "),  # 44.6 M, both
    ],
)
def test_budgets_that_differ_are_refused_in_words(
    own: int | None, other: int | None, words: str
) -> None:
    with pytest.raises(Refusal, match=f"study a has max-macs {words}"):
        refuse_other_settings("a", {"max_macs": own}, {"max_macs": other})


@pytest.mark.parametrize("field", ["epochs", "kinds", "seed", "max_macs", "protocol_digest"])
def test_every_field_is_compared(field: str, settings: Settings) -> None:
    refuse_other_settings("a", settings, settings)
    with pytest.raises(Refusal, match=field.replace("_", "-")):
        refuse_other_settings("a", settings, {field: "another"})


@pytest.mark.parametrize("stored", ["0123456789abcdef", None])
def test_choices_of_another_version_are_refused(
    stored: str | None, url: str, settings: Settings
) -> None:
    """Optuna would refuse a changed list of choices only after a trial had been asked for."""
    others = {**settings, "space_digest": stored}
    if stored is None:
        del others["space_digest"]
    create_or_open(url, "attention", others)
    rule = (
        "study attention chooses among what another version of this program proposed, with "
        f"space_digest {stored}, got .*; name another --study, or use that one"
    )
    with pytest.raises(Refusal, match=rule):
        create_or_open(url, "attention", settings)
    assert not open_existing(url, "attention").optuna.get_trials(deepcopy=False)


def test_there_are_no_settings_before_the_study(url: str, settings: Settings) -> None:
    assert existing_settings(url, "attention") is None
    file = database_of(url).file
    assert file is None or not file.exists()
    create_or_open(url, "attention", settings)
    assert existing_settings(url, "another") is None


def test_an_unknown_study_is_refused_with_those_there_are(url: str, settings: Settings) -> None:
    create_or_open(url, "one", settings)
    create_or_open(url, "two", settings)
    rule = f"no study three in {re.escape(database_of(url).label)}; --study can be: one, two"
    with pytest.raises(Refusal, match=rule):
        open_existing(url, "three")


def test_a_study_of_other_objectives_is_refused(url: str, settings: Settings) -> None:
    optuna.create_study(
        storage=database_of(url).engine_url, study_name="attention", directions=["minimize"] * 2
    )
    with pytest.raises(Refusal, match="study attention has other objectives"):
        create_or_open(url, "attention", settings)


def test_a_study_of_another_program_is_refused_and_left_as_it_was(
    url: str, settings: Settings
) -> None:
    foreign = optuna.create_study(
        storage=database_of(url).engine_url, study_name="attention", directions=list(DIRECTIONS)
    )
    foreign.tell(foreign.ask(), [0.5, 1.0])
    with pytest.raises(Refusal, match="not made by this program"):
        create_or_open(url, "attention", settings)
    assert foreign.user_attrs == {}
    assert foreign.metric_names is None
    create_or_open(url, "ours", settings)
    with pytest.raises(Refusal, match="not made by this program"):
        open_existing(url, "attention")


def test_a_newer_schema_is_refused(url: str, settings: Settings) -> None:
    made = create_or_open(url, "attention", settings)
    with Session(made.engine) as session:
        session.execute(update(StudyRow).values(schema_version=SCHEMA_VERSION + 1))
        session.commit()
    with pytest.raises(Refusal, match="made by a newer version; update this program"):
        open_existing(url, "attention")
    with pytest.raises(Refusal, match="made by a newer version; update this program"):
        create_or_open(url, "attention", settings)


def test_a_new_study_of_a_deleted_ones_name_starts_without_its_rows(
    url: str, settings: Settings
) -> None:
    old = create_or_open(url, "attention", settings)
    propose(old)
    optuna.delete_study(study_name="attention", storage=database_of(url).engine_url)
    new = create_or_open(url, "attention", {**settings, "seed": 7})
    assert new.uid != old.uid
    assert new.settings["seed"] == 7
    assert evaluations(new) == ()
    with Session(new.engine) as session:
        assert session.scalar(select(func.count()).select_from(EvaluationRow)) == 1


def test_settings_are_stored_as_plain_json(study: OpenStudy) -> None:
    with Session(study.engine) as session:
        row = session.get(StudyRow, study.uid)
        assert row is not None
        assert json.loads(row.settings) == study.settings
        assert (row.name, row.schema_version) == ("attention", SCHEMA_VERSION)


def test_a_second_driver_is_refused(url: str) -> None:
    with only_driver(url, "attention"):
        with (
            pytest.raises(Refusal, match="study attention is already being run"),
            only_driver(url, "attention"),
        ):
            pass
        with only_driver(url, "another"):
            pass
    with only_driver(url, "attention"):
        pass


def test_a_killed_driver_leaves_no_lock(url: str) -> None:
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(Refusal, match="already being run"), only_driver(url, "attention"):
            pass
        child.kill()
        child.wait()
    with only_driver(url, "attention"):
        pass


@ON_A_FILE
def test_the_lock_is_beside_the_database_and_never_on_it(url: str, tmp_path: Path) -> None:
    with only_driver(url, "attention"):
        assert (tmp_path / "study.db.attention.lock").exists()
        assert not (tmp_path / "study.db").exists()


@ON_A_FILE
def test_a_lock_that_cannot_be_made_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="--study must be a name"), only_driver(url, "a/b"):
        pass
    (tmp_path / "study.db.a.lock").mkdir()
    with pytest.raises(Refusal, match=r"cannot lock .*: Is a directory"), only_driver(url, "a"):
        pass
