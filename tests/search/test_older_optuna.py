"""A database that Optuna 2.10 made: refused with a way out, which leads to where it says."""

import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from search.cli import run_command
from search.config import StudyConfig
from search.doctor.database import database_findings
from space import Refusal
from studies import create_or_open, database_path, open_existing
from studies.store.backup import back_up
from tests.studies.store.dumps import OPTUNAS, STUDY, restored


@pytest.fixture
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return restored(OPTUNAS, tmp_path_factory.mktemp("older"))


def test_it_is_refused_with_the_way_out_and_left_as_it_is(
    url: str, small_config: StudyConfig
) -> None:
    content = database_path(url).read_bytes()
    with pytest.raises(Refusal, match="holds no study of this program"):
        open_existing(url, STUDY)
    way_out = rf"`search backup --storage {url}` .*`optuna storage upgrade --storage {url}`"
    with pytest.raises(Refusal, match=rf"tables of an older Optuna; {way_out}"):
        create_or_open(url, "ours", small_config.settings())
    assert database_path(url).read_bytes() == content


def test_the_doctor_names_both_versions(url: str) -> None:
    *_, versions, study = database_findings(url)
    assert versions.state == "problem"
    assert versions.what.startswith("Optuna's tables are v2.6.0.a, this Optuna's v")
    assert study.what == "study attention: 3 complete, not of this program"


@pytest.mark.filterwarnings("ignore:UniformDistribution has been deprecated:FutureWarning")
def test_after_the_way_out_a_study_of_ours_is_made_beside_it(
    url: str, small_config: StudyConfig
) -> None:
    path = database_path(url)
    assert run_command(["backup", "--storage", url, "--to", f"{path.parent}/kept.db"]) == 0
    assert back_up(path, path.with_name("again.db")).num_trainings == {STUDY: 3}
    storage = RDBStorage(url, skip_compatibility_check=True)
    storage.upgrade()  # what `optuna storage upgrade` calls
    storage.engine.dispose()
    study = create_or_open(url, "ours", small_config.settings())
    study.engine.dispose()
    with pytest.raises(Refusal, match="study attention was not made by this program"):
        create_or_open(url, STUDY, small_config.settings())
    (theirs,) = [one for one in storage.get_all_studies() if one.study_name == STUDY]
    trials = storage.get_all_trials(theirs._study_id)
    assert [one.state for one in trials] == [TrialState.COMPLETE] * 3
    assert [len(one.values) for one in trials] == [2] * 3
