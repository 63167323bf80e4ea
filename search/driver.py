"""The only writer of a study: ask, price, submit, hear, stop or keep, tell.

Order of writes for each trial: Optuna's ask and attributes; our row; submit; epochs; our row with
the outcome (the point of no return); tell; the front. A crash between any two is mended by
`recovery`.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from studies import (
    Evaluation,
    OpenStudy,
    add_epoch,
    complete,
    completed,
    evaluations,
    fail,
    front_of,
    refuse_replaced,
    set_state,
    store_front,
)

from .config import StudyConfig
from .executors import Done, EpochDone, Event, Executor, Failed, Job, Lost, Stopped
from .listener import Listener
from .proposals import next_proposal
from .recovery import recover, resubmitted
from .tell import tell

MAX_REFUSALS = 100  # in a row
MAX_FAILURES = 5  # in a row
HEARTBEAT = 0.5  # seconds between looks at the clock and at Ctrl-C

Ending = Literal["total", "interrupted", "time", "failures", "refusals"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When to end: the study's total of trainings, and perhaps a time."""

    num_trials: int
    max_seconds: float | None = None


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
        self.config = config
        self.executor = executor
        self.listener = listener
        self.device = device
        self.data_dir = data_dir
        self.waiting: deque[Evaluation] = deque()
        self.running: dict[int, Evaluation] = {}
        self.known: dict[int, Evaluation] = {}
        self.failures = 0
        self.refusals = 0

    def run(self, limits: Limits, interrupted: Callable[[], bool]) -> Ending:
        """Recover, then work until the end; return why it ended."""
        started = time.monotonic()
        self.waiting.extend(recover(self.study))
        self.known = {one.id: one for one in evaluations(self.study)}
        self._refresh_front()
        while True:
            ending = self._ending(limits, time.monotonic() - started, interrupted())
            if ending is None:
                self._fill(limits)
            elif not self.running:
                return ending
            self._handle(self.executor.events(HEARTBEAT))

    def _ending(self, limits: Limits, seconds: float, interrupted: bool) -> Ending | None:
        """Say why nothing new may start, if so."""
        if interrupted:
            return "interrupted"
        if limits.max_seconds is not None and seconds >= limits.max_seconds:
            return "time"
        if self.failures >= MAX_FAILURES:
            return "failures"
        if self.refusals >= MAX_REFUSALS:
            return "refusals"
        return None if self.running or self._has_work(limits) else "total"

    def _has_work(self, limits: Limits) -> bool:
        """Put the next proposal in the queue and say whether there is one."""
        return bool(self.waiting) or self._propose(limits)

    def _is_short(self, limits: Limits) -> bool:
        """Say whether finished, running and waiting trainings together miss the total."""
        pending = [one for one in [*self.running.values(), *self.waiting] if one.trial is not None]
        return len(completed(list(self.known.values()))) + len(pending) < limits.num_trials

    def _fill(self, limits: Limits) -> None:
        """Give every idle worker a job, and have one proposal ready for the next."""
        while self.executor.capacity() > 0:
            if not self._has_work(limits):
                return
            self._submit(self.waiting.popleft())
        self._has_work(limits)

    def _propose(self, limits: Limits) -> bool:
        """Put one more proposal in the queue; False if there is none to make now."""
        while self.refusals < MAX_REFUSALS:
            row = next_proposal(
                self.study,
                self.config,
                list(self.known.values()),
                num_trials=limits.num_trials,
                is_short=self._is_short(limits),
            )
            if row is None:
                return False
            self.known[row.id] = row
            if row.state != "refused":
                self.refusals = 0
                self.waiting.append(row)
                return True
            self.refusals += 1
            self.listener.refused(row)
        return False

    def _submit(self, row: Evaluation) -> None:
        refuse_replaced(self.study)
        set_state(self.study, row.id, "running", row.attempt)
        row = replace(row, state="running")
        self.known[row.id] = self.running[row.id] = row
        self.executor.submit(self.job(row))
        self.listener.started(row)

    def abandon(self) -> None:
        """Take back what runs, so that the next start does not count it as a failed attempt."""
        for number, row in self.running.items():
            if not self.known[number].is_final:
                set_state(self.study, row.id, "proposed", row.attempt)

    def job(self, row: Evaluation) -> Job:
        """Return the training as plain data for a worker."""
        return Job(
            id=row.id,
            attempt=row.attempt,
            architecture=row.architecture.to_json(),
            seed=row.seed,
            protocol=self.config.protocol,
            device=self.device,
            data_dir=self.data_dir,
        )

    def _handle(self, events: list[Event]) -> None:
        """Store what happened; events of an earlier attempt are dropped."""
        finished = False
        for event in events:
            row = self.running.get(event.job)
            if row is None or row.attempt != event.attempt:
                continue
            if isinstance(event, EpochDone):
                add_epoch(self.study, row.id, row.attempt, event.epoch)
                self.listener.epoch(row, event.epoch)
            else:
                self._end(row, event)
                del self.running[row.id]
                finished = True
        if finished:
            self._refresh_front()

    def _end(self, row: Evaluation, event: Done | Failed | Stopped | Lost) -> None:
        if isinstance(event, Done):
            self._complete(row, event)
        elif isinstance(event, Failed):
            self._fail(row, event.reason)
        else:
            self._resubmit(row, event.reason if isinstance(event, Lost) else "it was stopped")

    def _complete(self, row: Evaluation, event: Done) -> None:
        outcome = event.outcome
        if not 0 <= outcome.accuracy <= 1:  # NaN and infinity fail this too
            self._fail(row, f"accuracy must be from 0 to 1, got {outcome.accuracy}")
            return
        complete(self.study, row.id, outcome)
        self.failures = 0
        self._close(
            replace(
                row,
                state="complete",
                accuracy=outcome.accuracy,
                correct=outcome.correct,
                seconds=outcome.seconds,
                images_per_second=outcome.images_per_second,
            )
        )

    def _fail(self, row: Evaluation, reason: str) -> None:
        fail(self.study, row.id, reason)
        self.failures += 1
        self._close(replace(row, state="failed", reason=reason))

    def _close(self, row: Evaluation) -> None:
        self.known[row.id] = row
        tell(self.study, row)
        self.listener.finished(row)

    def _resubmit(self, row: Evaluation, why: str) -> None:
        """Queue a lost or stopped training again, before anything new."""
        again = resubmitted(self.study, row, why)
        if again is None:
            self.failures += 1
            self.known[row.id] = next(o for o in evaluations(self.study) if o.id == row.id)
            self.listener.finished(self.known[row.id])
            return
        self.known[row.id] = again
        self.waiting.appendleft(again)

    def _refresh_front(self) -> None:
        found = tuple(self.known.values())
        store_front(self.study, front_of(found, self.config.backbone, self.config.cost))
