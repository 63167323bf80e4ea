"""What becomes of a training that ended: stored first, the point of no return, then told."""

from dataclasses import replace

from studies import (
    Ending,
    Evaluation,
    Outcome,
    complete,
    end_attempt,
    evaluation,
    fail,
    set_waiting,
    stop,
)

from .board import Board
from .checkpoint_files import drop_checkpoint
from .executors import Before, Done, Failed, Lost, Stopped
from .front_files import attach_pictures
from .listener import Listener
from .recovery import resubmitted
from .soundness import fault_of, short_reason
from .tell import tell

MIN_HALVED = 4  # images of a batch; norms need two of its half


def end(
    board: Board, row: Evaluation, event: Done | Failed | Stopped | Lost, listener: Listener
) -> None:
    """Store and tell an ending, or queue the training again before anything new.

    A training that was told to stop and came to its end first is done.
    """
    why = board.stopping.pop(row.id, None)
    if isinstance(event, Done):
        _complete(board, row, event, listener)
    elif isinstance(event, Failed) and event.out_of_memory:
        _halve(board, row, event, listener)
    elif isinstance(event, Failed):
        _fail(board, row, event.reason, listener)
    elif isinstance(event, Stopped) and why is not None:
        _stop(board, row, why, listener)
    else:
        reason = event.reason if isinstance(event, Lost) else "it was stopped"
        _resubmit(board, row, reason, listener)


def _complete(board: Board, row: Evaluation, event: Done, listener: Listener) -> None:
    outcome = event.outcome
    fault = fault_of(outcome, row.cost, board.protocol(row), board.curves[row.id])
    if fault is not None:
        _fail(board, row, fault, listener)
        return
    attach_pictures(board.study, row)
    complete(board.study, row.id, row.attempt, _with_times(outcome, event.before))
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


def _stop(board: Board, row: Evaluation, why: str, listener: Listener) -> None:
    stop(board.study, row.id, row.attempt, why)
    board.failures = 0
    _close(board, replace(row, state="stopped", reason=why), listener)


def _with_times(outcome: Outcome, before: Before) -> Outcome:
    """Return the outcome with the seconds of its worker before the job, too."""
    times = outcome.times
    if times is None:
        return outcome
    start_up = before.preparing + times.start_up
    return replace(outcome, times=replace(times, start_up=start_up, waiting=before.waiting))


def _halve(board: Board, row: Evaluation, event: Failed, listener: Listener) -> None:
    """Give a training for which memory was too small one more chance, with half the batch."""
    batch, is_halved = board.protocol(row).batch_size, row.id in board.halved
    if is_halved or batch < MIN_HALVED:
        reason = f"{event.reason} (it was {batch}{', halved' if is_halved else ''})"
        _fail(board, row, reason, listener, "out_of_memory")
        return
    end_attempt(board.study, row.id, row.attempt, "out_of_memory")
    set_waiting(board.study, row.id, row.attempt + 1)
    board.halved.add(row.id)
    board.known[row.id] = again = replace(row, state="proposed", attempt=row.attempt + 1)
    board.waiting.appendleft(again)
    listener.halved(row, batch // 2)


def _fail(
    board: Board, row: Evaluation, reason: str, listener: Listener, how: Ending = "failed"
) -> None:
    reason = short_reason(reason)
    fail(board.study, row.id, reason, how)
    board.failures += 1
    _close(board, replace(row, state="failed", reason=reason), listener)


def _close(board: Board, row: Evaluation, listener: Listener) -> None:
    board.known[row.id] = row
    drop_checkpoint(board.study, row)
    tell(board.study, row)
    listener.finished(row)


def take_back(board: Board, row: Evaluation) -> None:
    """Have the same attempt at a lost training begin again in the next run."""
    set_waiting(board.study, row.id, row.attempt)
    board.known[row.id] = again = replace(row, state="proposed")
    board.waiting.appendleft(again)


def _resubmit(board: Board, row: Evaluation, why: str, listener: Listener) -> None:
    """Queue a training again, before anything new."""
    again = resubmitted(board.study, row, why)
    if again is None:
        board.failures += 1
        board.known[row.id] = evaluation(board.study, row.id)
        drop_checkpoint(board.study, row)
        listener.finished(board.known[row.id])
        return
    board.known[row.id] = again
    board.waiting.appendleft(again)
