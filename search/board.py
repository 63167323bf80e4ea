"""What is known of a study's trainings, what waits for a worker, and what runs."""

import time
from collections import deque
from dataclasses import dataclass, field

from studies import (
    Epoch,
    Evaluation,
    Front,
    OpenStudy,
    attempts,
    curves,
    evaluations,
    front_of,
    store_front,
)
from studies.estimates.link import forecasts_of
from studies.estimates.posterior import Forecast

from .checkpoint_files import drop_old_checkpoints
from .config import Protocol, StudyConfig
from .front_files import prune
from .recovery import recover

MANY = 1000  # trainings; from there on not every ending is worth new estimates of all
RARER = 0.01  # of the trainings beyond, that must have ended before the front is worked out anew
STORE_SHARE = 0.01  # of the driver's time that storing the front may take: it is derived


@dataclass(slots=True)
class Board:
    """The driver's memory of its study; all of it can be read from the database again."""

    study: OpenStudy
    config: StudyConfig
    known: dict[int, Evaluation] = field(default_factory=dict)
    waiting: deque[Evaluation] = field(default_factory=deque)
    running: dict[int, Evaluation] = field(default_factory=dict)
    stopping: dict[int, str] = field(default_factory=dict)  # what was told to stop, and why
    since: dict[int, float] = field(default_factory=dict)  # when what runs was submitted
    curves: dict[int, list[Epoch]] = field(default_factory=dict)  # of the last attempts
    halved: set[int] = field(default_factory=set)  # for which memory was too small once
    failures: int = 0  # in a row
    refusals: int = 0  # in a row
    _num_new: int = 0  # endings that the front does not know
    _front: Front | None = None
    _stored: Front | None = None
    _next_store: float = 0.0

    def read(self) -> None:
        """Settle what a crash left and take everything from the database.

        The front is stored by the driver, once what waits is with the workers.
        """
        self.waiting.extend(recover(self.study))
        drop_old_checkpoints(self.study, self.waiting)
        self.known = {one.id: one for one in evaluations(self.study)}
        self.curves = curves(self.study)
        spent = (one for one in attempts(self.study) if one.ending == "out_of_memory")
        self.halved = {one.evaluation_id for one in spent}

    def protocol(self, row: Evaluation) -> Protocol:
        """Return how the run is trained: with half the batch if the memory was too small."""
        protocol = self.config.protocol
        return protocol.halved() if row.id in self.halved else protocol

    def is_short(self, num_trials: int) -> bool:
        """Say whether finished, running and waiting trainings together miss the total."""
        pending = [one for one in [*self.running.values(), *self.waiting] if one.trial is not None]
        return sum(one.counts for one in self.known.values()) + len(pending) < num_trials

    @property
    def forecasts(self) -> dict[int, Forecast]:
        """Return what the stopped trainings would have ended with."""
        return forecasts_of(tuple(self.known.values()), self.curves, self.config.audit)

    @property
    def front(self) -> Front:
        """Return the front of what is known, or was a few endings ago among many."""
        if self._front is None:
            known = tuple(self.known.values())
            config = self.config
            self._num_new = 0
            self._front = front_of(known, config.backbone, config.cost, self.forecasts)
        return self._front

    @property
    def last_front(self) -> Front | None:
        """Return the front that was stored last, if any was: it takes no time."""
        return self._stored

    def learn(self) -> None:
        """Note that a training has ended, and forget the front if that may tell."""
        self._num_new += 1
        if self._num_new > RARER * (len(self.known) - MANY):
            self._front = None

    def store_front(self, *, now: bool = False) -> bool:
        """Store the front if it was not; unless `now`, at most a hundredth of the time."""
        began = time.monotonic()
        if now and self._num_new:
            self._front = None
        if self._is_stored() or (not now and began < self._next_store):
            return False
        store_front(self.study, self.front)
        self._stored = self._front
        prune(self.study, self.front, self.known, self.running)
        ended = time.monotonic()
        self._next_store = ended + (ended - began) / STORE_SHARE
        return True

    def _is_stored(self) -> bool:
        return self._front is not None and self._stored is self._front
