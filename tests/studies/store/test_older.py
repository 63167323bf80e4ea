"""Studies of older versions open, and go on as they began."""

import json

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from search.config import StudyConfig, config_of
from space import Refusal, cost, plain
from studies import OpenStudy, create_or_open, existing_settings, open_existing
from studies.store.older import BEFORE, up_to_date
from studies.store.settings import refuse_other_settings
from studies.store.tables import StudyRow

Settings = dict[str, object]


def made_older(study: OpenStudy, **changed: object) -> None:
    """Store the settings as a version wrote them that had no such options yet."""
    with Session(study.engine) as session:
        stored = json.loads(session.scalars(select(StudyRow.settings)).one())
        older = {name: value for name, value in stored.items() if name not in BEFORE}
        session.execute(update(StudyRow).values(settings=json.dumps({**older, **changed})))
        session.commit()


def test_the_table_names_settings_that_there_are(small_config: StudyConfig) -> None:
    assert set(BEFORE) < set(small_config.settings())


def test_what_an_older_study_lacks_is_off() -> None:
    assert up_to_date({"epochs": 6}) == {
        "epochs": 6,
        "averaging": 0.0,
        "curve_images": None,
        "recipe": "study",
        "early_stop": False,
        "audit": 0.0,
        "replicates": 0.0,
        "max_macs": None,
        "max_params": None,
    }


def test_what_is_stored_stands(small_config: StudyConfig) -> None:
    settings = small_config.settings()
    assert settings["replicates"] == 0.3
    assert up_to_date(settings) == settings


@pytest.mark.parametrize(
    ("name", "ratio", "most"),
    [
        ("macs", 1.1, 44_606_144),  # 1.1 · 40,551,040
        ("params", 1.1, 296_694),  # 1.1 · 269,722 = 296,694.2
        ("macs", 1, 40_551_040),
    ],
)
def test_a_budget_over_plain_becomes_a_limit_of_its_cost(
    name: str, ratio: float, most: int
) -> None:
    assert cost(plain("resnet20"))["macs"] == 40_551_040
    found = up_to_date({"cost": name, "backbone": "resnet20", "budget": ratio})
    limits = {"macs": found["max_macs"], "params": found["max_params"]}
    assert limits == {**{"macs": None, "params": None}, name: most}
    assert "budget" not in found


def test_no_budget_is_no_limit() -> None:
    found = up_to_date({"cost": "macs", "backbone": "resnet20", "budget": None})
    assert (found["max_macs"], found["max_params"]) == (None, None)
    assert "budget" not in found


def test_an_older_study_is_read_and_goes_on(study: OpenStudy, small_config: StudyConfig) -> None:
    made_older(study, budget=1.5)
    read = open_existing(study.url, study.name)
    assert existing_settings(study.url, study.name) == read.settings
    config = config_of(dict(read.settings))
    assert (config.early_stop, config.replicates) == (False, 0.0)
    assert config.limits == {"macs": cost(plain("resnet8")).macs * 3 // 2}
    assert config.protocol == small_config.protocol
    again = create_or_open(study.url, study.name, config.settings())
    assert again.settings == read.settings == config.settings()


def test_an_older_study_refuses_what_is_new(study: OpenStudy) -> None:
    made_older(study)
    stored = existing_settings(study.url, study.name)
    assert stored is not None
    with pytest.raises(Refusal, match=f"study {study.name} has early-stop False, got True"):
        refuse_other_settings(study.name, stored, {"early_stop": True})
