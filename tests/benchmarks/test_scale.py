"""The made-up studies of `benchmarks/scale.py` are stored as Optuna and the driver do it."""

from pathlib import Path
from sqlite3 import connect

import pytest

from benchmarks.scales.study import build, made_up_config, trainings, trial_of
from studies import completed, create_or_open, curves, evaluations, open_existing

TABLES = {
    "trials": "number, state, datetime_start, datetime_complete",
    "trial_values": "trial_id, objective, value, value_type",
    "trial_params": "trial_id, param_name, param_value, distribution_json",
    "trial_user_attributes": "trial_id, key, value_json",
    "trial_system_attributes": "trial_id, key, value_json",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("scale")
    build(found, (4, 12))
    return found


def rows(path: Path) -> dict[str, set[tuple[object, ...]]]:
    with connect(path) as connection:
        return {
            table: {
                tuple(bool(one) if str(one).startswith("20") else one for one in row)
                for row in connection.execute(f"select {columns} from {table}")
            }
            for table, columns in TABLES.items()
        }


def test_trials_in_bulk_are_those_that_optuna_adds(folder: Path, tmp_path: Path) -> None:
    config = made_up_config()
    study = create_or_open(f"sqlite:///{tmp_path}/one.db", "scale", config.settings())
    made = [one for one in trainings(config, 4) if one.trial is not None]
    study.optuna.add_trials(trial_of(one, config) for one in made)
    study.engine.dispose()
    assert rows(folder / "4.db") == rows(tmp_path / "one.db")


def test_a_study_of_any_size_is_whole(folder: Path) -> None:
    study = open_existing(f"sqlite:///{folder}/12.db", "scale")
    found = evaluations(study)
    done = completed(found)
    assert [one.number for one in study.optuna.get_trials()] == [one.trial for one in done]
    assert len(done) == 12
    assert all(len(curve) == 6 for curve in curves(study).values())
    assert sum(one.architecture.is_plain for one in done) >= 3
    study.engine.dispose()
