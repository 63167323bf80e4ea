"""What must hold of a study after any fault, once the same command has run to its end."""

from collections import Counter
from dataclasses import replace
from multiprocessing import active_children

from optuna.trial import TrialState
from sqlalchemy import text

from search.recovery import MAX_ATTEMPTS
from studies import Evaluation, OpenStudy, attempts, epochs, evaluations


def assert_whole(study: OpenStudy, total: int, *, num_epochs: int) -> None:
    """Check both halves of the database, their agreement, and that no worker is alive."""
    rows = evaluations(study)
    if study.engine.dialect.name == "sqlite":
        with study.engine.connect() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    assert [row.proposal for row in rows] == list(range(len(rows)))
    assert sum(row.counts for row in rows) == total
    assert all(row.is_final for row in rows)
    _assert_trials_agree(study, rows)
    for row in rows:
        assert _most_futile(study, row) <= MAX_ATTEMPTS
        if row.state == "complete":
            assert row.accuracy is not None
            shown = [one.epoch for one in epochs(study, row)]
            assert shown == list(range(1, num_epochs + 1))
    begun = Counter(one.evaluation_id for one in attempts(study))
    assert all(begun[row.id] <= row.attempt for row in rows)
    assert not active_children()


def _most_futile(study: OpenStudy, row: Evaluation) -> int:
    """Return how many attempts in a row, of those that are over, showed no epoch that is new."""
    seen: set[int] = set()
    most = futile = 0
    for attempt in range(1, row.attempt + (row.state == "failed")):
        shown = {one.epoch for one in epochs(study, replace(row, attempt=attempt))}
        futile = 0 if shown - seen else futile + 1
        most = max(most, futile)
        seen |= shown
    return most


def _assert_trials_agree(study: OpenStudy, rows: tuple[Evaluation, ...]) -> None:
    trials = study.optuna.get_trials(deepcopy=False)
    assert [one.number for one in trials] == list(range(len(trials)))
    told = {row.trial: row for row in rows if row.trial is not None}
    states = {
        "complete": TrialState.COMPLETE,
        "failed": TrialState.FAIL,
        "refused": TrialState.PRUNED,
        "stopped": TrialState.PRUNED,
    }
    for trial in trials:
        if trial.number in told:
            row = told[trial.number]
            assert trial.state == states[row.state]
            assert trial.values is None or trial.values[0] == row.accuracy
        else:  # asked for right before the driver died
            assert trial.state == TrialState.FAIL


def result(study: OpenStudy) -> list[tuple[object, ...]]:
    """Return what an undisturbed run with one worker would have, too."""
    return [
        (row.proposal, row.purpose, row.digest, row.seed, row.state, row.accuracy, row.correct)
        for row in evaluations(study)
    ]


def front_rows(study: OpenStudy) -> list[tuple[object, ...]]:
    """Return the stored front."""
    query = "select rank, digest, estimate, standard_error, num_evaluations from pareto_front"
    with study.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query + " order by rank"))]
