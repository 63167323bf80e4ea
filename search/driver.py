"""The only writer of a study: ask, price, submit, hear, stop or keep, tell.

Order for each trial: Optuna's ask and attributes; our row; submit; `running`; epochs; our row with
the outcome (the point of no return); tell; the front. A crash between any two is mended by
`recovery`. No worker waits for a write: when one is done, it gets the next job first.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Literal

from studies import (
    Attempt,
    Evaluation,
    OpenStudy,
    add_epoch,
    refuse_replaced,
    set_waiting,
    start_attempt,
)

from .board import Board
from .checkpoint_files import checkpoint_of
from .config import StudyConfig
from .endings import end, take_back
from .executors import Done, EpochDone, Event, Executor, Failed, Job, Lost, ProbeDone, Stopped
from .front_files import keep_of
from .listener import Listener
from .options import in_words
from .proposals import next_proposal
from .soundness import fault_of_epoch
from .stopping import look_at_rung

MAX_REFUSALS = 100  # in a row
MAX_FAILURES = 5  # in a row
RUNNING_PER_PROPOSAL = 2  # many workers end in bursts: so many proposals are ready for them
HEARTBEAT = 0.5  # seconds between looks at the clock and at Ctrl-C

Ending = Literal["total", "interrupted", "time", "failures", "refusals"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When to end: the study's total of trainings, and perhaps a time."""

    num_trials: int
    max_seconds: float | None = None
    max_trial_seconds: float | None = None  # of one attempt at a training


class Driver:
    """Runs one study on one executor until its total is reached or something ends it early.

    `interrupted` is asked between events; once it is true nothing new starts, and what runs
    finishes.
    """

    def __init__(
        self,
        study: OpenStudy,
        config: StudyConfig,
        executor: Executor,
        *,
        listener: Listener,
        device: str = "cpu",
        data_dir: Path | None = None,
    ) -> None:
        self.study = study
        self.board = Board(study, config)
        self.executor = executor
        self.listener = listener
        self.device = device
        self.data_dir = data_dir

    def run(self, limits: Limits, interrupted: Callable[[], bool]) -> Ending:
        """Recover, then work until the end; return why it ended."""
        started = time.monotonic()
        self.board.read()
        while True:
            ending = self._ending(limits, time.monotonic() - started, interrupted())
            self._give_up_late(limits)
            is_behind = False
            if ending is None:
                is_behind = self._fill(limits)
            elif not self.board.running:
                self.board.store_front(now=True)
                return ending
            if self.board.store_front():
                self.listener.learned(self.board.front)
            events = self.executor.events(0.0 if is_behind else HEARTBEAT)
            self._handle(events, may_start=ending is None, interrupted=interrupted())

    def abandon(self) -> None:
        """Take back what runs, so that the next start does not count it as a failed attempt."""
        for number, row in self.board.running.items():
            if not self.board.known[number].is_final:
                set_waiting(self.study, row.id, row.attempt)

    def job(self, row: Evaluation) -> Job:
        """Return the training as plain data for a worker."""
        return Job(
            id=row.id,
            attempt=row.attempt,
            architecture=row.architecture.to_json(),
            seed=row.seed,
            protocol=self.board.protocol(row),
            device=self.device,
            data_dir=self.data_dir,
            keep=keep_of(self.study, row, self.board.last_front),
            checkpoint=checkpoint_of(self.study, row),
        )

    def _ending(self, limits: Limits, seconds: float, interrupted: bool) -> Ending | None:
        """Say why nothing new may start, if so."""
        if interrupted:
            return "interrupted"
        if limits.max_seconds is not None and seconds >= limits.max_seconds:
            return "time"
        if self.board.failures >= MAX_FAILURES:
            return "failures"
        if self.board.refusals >= MAX_REFUSALS:
            return "refusals"
        return None if self.board.running or self._has_work(limits) else "total"

    def _give_up_late(self, limits: Limits) -> None:
        """End the workers of trainings that take too long; they are lost, as if they had died."""
        if limits.max_trial_seconds is None:
            return
        last = time.monotonic() - limits.max_trial_seconds
        for number in [one for one, since in self.board.since.items() if since < last]:
            reason = f"it took longer than --trial-timeout {in_words(limits.max_trial_seconds)}"
            self.board.since[number] = inf  # said once
            self.executor.give_up(number, reason)

    def _has_work(self, limits: Limits) -> bool:
        """Put the next proposal in the queue and say whether there is one."""
        return bool(self.board.waiting) or self._propose(limits)

    def _fill(self, limits: Limits) -> bool:
        """Give every idle worker a job and make one more proposal; say whether more are due.

        Between two proposals the workers are heard: each of them takes a fraction of a second.
        """
        while self.executor.capacity() > 0:
            if not self._has_work(limits):
                return False
            self._submit_next()
        due = max(1, len(self.board.running) // RUNNING_PER_PROPOSAL)
        is_made = len(self.board.waiting) < due and self._propose(limits)
        return is_made and len(self.board.waiting) < due

    def _propose(self, limits: Limits) -> bool:
        """Put one more proposal in the queue; False if there is none to make now."""
        board = self.board
        while board.refusals < MAX_REFUSALS:
            row = next_proposal(board, limits.num_trials)
            if row is None:
                return False
            board.known[row.id] = row
            if row.state != "refused":
                board.refusals = 0
                board.waiting.append(row)
                return True
            board.refusals += 1
            self.listener.refused(row)
        return False

    def _submit_next(self) -> None:
        """Give an idle worker the next job, then store that it runs.

        A worker dies with its driver: where the row still says `proposed`, nothing was begun.
        """
        refuse_replaced(self.study)
        row = self.board.waiting.popleft()
        self.executor.submit(self.job(row))
        protocol = self.board.protocol(row)
        begun = Attempt(row.id, row.attempt, protocol.batch_size, protocol.learning_rate)
        start_attempt(self.study, begun, protocol.digest())
        row = replace(row, state="running")
        self.board.known[row.id] = self.board.running[row.id] = row
        self.board.curves[row.id] = []
        self.board.since[row.id] = time.monotonic()
        self.listener.started(row)

    def _handle(self, events: list[Event], *, may_start: bool, interrupted: bool = False) -> None:
        """Store what happened; events of an earlier attempt are dropped."""
        new: Counter[int] = Counter()  # epochs among these events, by training
        events = [self._sound(event, new) for event in events]
        frees = any(self._frees_a_worker(event) for event in events)
        if may_start and frees and not interrupted:
            while self.board.waiting and self.executor.capacity() > 0:
                self._submit_next()
        ended = {(one.job, one.attempt) for one in events if not isinstance(one, EpochDone)}
        finished = False
        for event in events:
            row = self.board.running.get(event.job)
            if row is None or row.attempt != event.attempt or isinstance(event, ProbeDone):
                continue
            if isinstance(event, EpochDone):
                add_epoch(self.study, row.id, row.attempt, event.epoch)
                self.board.curves[row.id].append(event.epoch)
                self.listener.epoch(row, event.epoch)
                if (event.job, event.attempt) not in ended:
                    look_at_rung(self.board, row, self.executor, self.listener)
            else:
                self._end(row, event, interrupted=interrupted)
                finished = True
        if finished:
            self.board.learn()

    def _end(
        self, row: Evaluation, event: Done | Failed | Stopped | Lost, *, interrupted: bool
    ) -> None:
        """Store an ending; what ends the run may have ended a worker, which counts for nothing."""
        if interrupted and isinstance(event, Lost):
            take_back(self.board, row)
        else:
            end(self.board, row, event, self.listener)
        del self.board.running[row.id], self.board.since[row.id]

    def _sound(self, event: Event, new: Counter[int]) -> Event:
        """Return the event; of an epoch that cannot be, a failure, and its worker ends."""
        row = self.board.running.get(event.job)
        if row is None or row.attempt != event.attempt or not isinstance(event, EpochDone):
            return event
        new[row.id] += 1
        number = len(self.board.curves[row.id]) + new[row.id]
        fault = fault_of_epoch(event.epoch, self.board.protocol(row), number)
        if fault is None:
            return event
        self.executor.give_up(event.job, fault)
        return Failed(event.job, event.attempt, fault)

    def _frees_a_worker(self, event: Event) -> bool:
        """Say whether the event's training is over; another kind of end may have it run again."""
        return isinstance(event, Done) or (
            isinstance(event, Stopped) and event.job in self.board.stopping
        )
