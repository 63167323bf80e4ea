"""What becomes of a training that ended: stored first, the point of no return, then told."""

from dataclasses import replace

from studies import Evaluation, Outcome, complete, end_attempt, evaluations, fail

from .board import Board
from .executors import Done, Failed, Lost, Stopped
from .listener import Listener
from .recovery import resubmitted
from .tell import tell

MIN_HALVED = 4  # images of a batch; norms need two of its half


def end(
    board: Board, row: Evaluation, event: Done | Failed | Stopped | Lost, listener: Listener
) -> None:
    """Store and tell an ending, or queue the training again before anything new."""
    if isinstance(event, Done):
        _complete(board, row, event, listener)
    elif isinstance(event, Failed) and event.out_of_memory:
        _halve(board, row, event, listener)
    elif isinstance(event, Failed):
        end_attempt(board.study, row.id, row.attempt, "failed")
        _fail(board, row, event.reason, listener)
    else:
        reason = event.reason if isinstance(event, Lost) else "it was stopped"
        _resubmit(board, row, reason, listener)


def _complete(board: Board, row: Evaluation, event: Done, listener: Listener) -> None:
    outcome = event.outcome
    if not 0 <= outcome.accuracy <= 1:  # NaN and infinity fail this too
        reason = f"accuracy must be from 0 to 1, got {outcome.accuracy}"
        _fail(board, row, reason, listener)
        return
    complete(board.study, row.id, row.attempt, _with_waiting(outcome, event.waited_seconds))
    board.failures = 0
    ended = replace(
        row,
        state="complete",
        accuracy=outcome.accuracy,
        correct=outcome.correct,
        seconds=outcome.seconds,
        images_per_second=outcome.images_per_second,
    )
    _close(board, ended, listener)


def _with_waiting(outcome: Outcome, seconds: float) -> Outcome:
    """Return the outcome with what its worker had waited for the job, which it cannot know."""
    times = outcome.times and replace(outcome.times, waiting=seconds)
    return replace(outcome, times=times)


def _halve(board: Board, row: Evaluation, event: Failed, listener: Listener) -> None:
    """Give a training for which memory was too small one more chance, with half the batch."""
    end_attempt(board.study, row.id, row.attempt, "out_of_memory")
    batch = board.protocol(row).batch_size
    if row.id in board.halved or batch < MIN_HALVED:
        halved = ", halved" if row.id in board.halved else ""
        _fail(board, row, f"{event.reason} (it was {batch}{halved})", listener)
        return
    board.halved.add(row.id)
    listener.halved(row, batch // 2)
    _resubmit(board, row, event.reason, listener)


def _fail(board: Board, row: Evaluation, reason: str, listener: Listener) -> None:
    fail(board.study, row.id, reason)
    board.failures += 1
    _close(board, replace(row, state="failed", reason=reason), listener)


def _close(board: Board, row: Evaluation, listener: Listener) -> None:
    board.known[row.id] = row
    tell(board.study, row)
    listener.finished(row)


def _resubmit(board: Board, row: Evaluation, why: str, listener: Listener) -> None:
    """Queue a training again, before anything new."""
    again = resubmitted(board.study, row, why)
    if again is None:
        board.failures += 1
        board.known[row.id] = next(o for o in evaluations(board.study) if o.id == row.id)
        listener.finished(board.known[row.id])
        return
    board.known[row.id] = again
    board.waiting.appendleft(again)
