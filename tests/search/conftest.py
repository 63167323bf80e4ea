from pathlib import Path

import pytest

from search.config import StudyConfig, config_of
from studies import OpenStudy, create_or_open
from tests.search.scripted import SETTINGS


@pytest.fixture
def config() -> StudyConfig:
    return config_of(SETTINGS)


@pytest.fixture
def study(tmp_path: Path, config: StudyConfig) -> OpenStudy:
    return create_or_open(f"sqlite:///{tmp_path}/study.db", "tried", config.settings())
