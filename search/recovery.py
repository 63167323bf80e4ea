"""What a crash left, and what becomes of each unfinished training at the next start."""

from collections.abc import Sequence

from optuna.trial import TrialState

from studies import Evaluation, OpenStudy, evaluation, evaluations, fail, set_waiting
from studies.store.attempts import reached

from .tell import tell

MAX_ATTEMPTS = 3  # that show no epoch which those before them did not


def recover(study: OpenStudy) -> tuple[Evaluation, ...]:
    """Settle every unfinished trial and return the trainings to submit again, oldest first.

    A trial without a row of ours never started and fails. One whose outcome is stored is told
    that outcome. One that was running is submitted again as the same trial, as long as it gets on.
    """
    rows = evaluations(study)
    _settle_trials(study, rows)
    return tuple(again for row in rows if not row.is_final and (again := resubmitted(study, row)))


def resubmitted(
    study: OpenStudy, row: Evaluation, why: str = "the driver died"
) -> Evaluation | None:
    """Return the training for its next attempt, or None if it has failed too often.

    A proposal that never ran keeps its attempt: the driver's death is not its fault. Nor is it
    that of a long training which goes on from its checkpoint: it gets further each time.
    """
    if row.state == "running" and _num_futile(study, row) >= MAX_ATTEMPTS:
        reason = f"ended early in {MAX_ATTEMPTS} attempts that got no further"
        fail(study, row.id, f"{reason}; the last time {why}")
        tell(study, _current(study, row))
        return None
    attempt = row.attempt + (row.state == "running")
    set_waiting(study, row.id, attempt)
    return _current(study, row)


def _num_futile(study: OpenStudy, row: Evaluation) -> int:
    """Return how many of the last attempts showed no epoch that those before them did not."""
    furthest = futile = 0
    for num_epochs in reached(study, row):
        futile = 0 if num_epochs > furthest else futile + 1
        furthest = max(furthest, num_epochs)
    return futile


def _settle_trials(study: OpenStudy, rows: Sequence[Evaluation]) -> None:
    by_trial = {row.trial: row for row in rows if row.trial is not None}
    for trial in study.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        row = by_trial.get(trial.number)
        if row is None:
            study.optuna.tell(trial.number, state=TrialState.FAIL)
        elif row.is_final:
            tell(study, row)


def _current(study: OpenStudy, row: Evaluation) -> Evaluation:
    return evaluation(study, row.id)
