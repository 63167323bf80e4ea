"""The rows that `Study.add_trials` stores, thousands at once: it takes 40 ms for each trial.

That both store the same is tested (tests/benchmarks/test_scale.py).
"""

import json
from collections.abc import Iterable, Iterator

from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial
from sqlalchemy.orm import Session

from studies import OpenStudy


def add_in_bulk(study: OpenStudy, trials: Iterable[FrozenTrial]) -> None:
    """Add finished trials to a study that nothing else writes to."""
    study_id = study.optuna._study_id
    with Session(study.engine) as session:
        number = session.query(models.TrialModel).filter_by(study_id=study_id).count()
        for trial in trials:
            row = models.TrialModel(
                study_id=study_id,
                number=number,
                state=trial.state,
                datetime_start=trial.datetime_start,
                datetime_complete=trial.datetime_complete,
            )
            session.add(row)
            session.flush()  # its id
            session.bulk_save_objects(_parts(int(row.trial_id), trial))
            number += 1
        session.commit()


def _parts(trial_id: int, trial: FrozenTrial) -> Iterator[object]:
    """Yield the rows of a trial's values, parameters and attributes."""
    for objective, value in enumerate(trial.values):
        stored, kind = models.TrialValueModel.value_to_stored_repr(value)
        yield models.TrialValueModel(
            trial_id=trial_id, objective=objective, value=stored, value_type=kind
        )
    for name, value in trial.params.items():
        distribution = trial.distributions[name]
        yield models.TrialParamModel(
            trial_id=trial_id,
            param_name=name,
            param_value=distribution.to_internal_repr(value),
            distribution_json=distribution_to_json(distribution),
        )
    for key, value in trial.user_attrs.items():
        yield models.TrialUserAttributeModel(
            trial_id=trial_id, key=key, value_json=json.dumps(value)
        )
    for key, value in trial.system_attrs.items():
        yield models.TrialSystemAttributeModel(
            trial_id=trial_id, key=key, value_json=json.dumps(value)
        )
