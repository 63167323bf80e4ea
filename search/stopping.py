"""What the driver does at a rung: let the training go on, audit it, or have it stopped."""

from dataclasses import replace
from functools import cache

from space import baselines, digest
from studies import Evaluation, set_audit
from studies.estimates.link import finished_curves

from .board import Board
from .config import StudyConfig
from .executors import Executor
from .listener import Listener
from .rungs import Verdict, level_at, may_stop, rungs, should_stop
from .seeds import derived_seed

NUM_SEEDS = 2**31  # that `derived_seed` can return


def look_at_rung(board: Board, row: Evaluation, executor: Executor, listener: Listener) -> None:
    """Have a training stopped, or make it an audit, if its curve so far says so at a rung.

    The audit is stored at once. A stop is stored when the worker says that it has stopped: until
    then the row says `running`, and a crash makes it run, and stop, again.
    """
    verdict = _verdict(board, row)
    if verdict is None or not verdict.stops or row.id in board.stopping:
        return
    if is_audited(board.config, row):
        set_audit(board.study, row.id)
        audit = replace(row, purpose="audit")
        board.known[row.id] = board.running[row.id] = audit
        listener.audited(audit)
    else:
        board.stopping[row.id] = verdict.reason
        executor.stop(row.id)


def _verdict(board: Board, row: Evaluation) -> Verdict | None:
    """Return how likely the training is to pass the front; None where no rule looks at it now."""
    config, curve = board.config, board.curves[row.id]
    is_rung = config.early_stop and len(curve) in rungs(config.protocol.epochs)
    if not is_rung or not may_stop(row, _baselines(config)):
        return None
    finished = finished_curves(list(board.known.values()), board.curves, config.audit)
    return should_stop(finished, curve, level_at(board.front, row.cost))


def is_audited(config: StudyConfig, row: Evaluation) -> bool:
    """Say whether the training, if it is to be stopped, goes on as an audit.

    Drawn from the study's seed and the proposal: whoever resumes the study decides alike.
    """
    return derived_seed(config.seed, "audit", row.proposal) / NUM_SEEDS < config.audit


@cache
def _baselines(config: StudyConfig) -> frozenset[str]:
    """Return the digests of the baselines, which are trained whatever they show."""
    usual = baselines(config.search_space).values() if config.baselines else ()
    return frozenset(digest(one) for one in usual)
