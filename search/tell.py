"""Tell Optuna what our row says: the last write of a trial, and safe to repeat."""

from math import isfinite

from optuna.trial import TrialState

from studies import Evaluation, OpenStudy

STATES = {
    "complete": TrialState.COMPLETE,
    "failed": TrialState.FAIL,
    "refused": TrialState.PRUNED,
    "stopped": TrialState.PRUNED,  # without values: a multi-objective sampler would fail on them
}


def tell(study: OpenStudy, row: Evaluation) -> None:
    """Tell the stored outcome; a reference network has no trial to tell."""
    if row.trial is None:
        return
    values = None
    if row.state == "complete":
        assert row.accuracy is not None
        assert isfinite(row.accuracy)
        assert 0 <= row.accuracy <= 1
        values = [row.accuracy, float(row.cost[str(study.settings["cost"])])]
    study.optuna.tell(row.trial, values=values, state=STATES[row.state])
