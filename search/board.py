"""What is known of a study's trainings, what waits for a worker, and what runs."""

from collections import deque
from dataclasses import dataclass, field

from studies import Evaluation, OpenStudy, attempts, completed, evaluations, front_of, store_front

from .config import Protocol, StudyConfig
from .recovery import recover


@dataclass(slots=True)
class Board:
    """The driver's memory of its study; all of it can be read from the database again."""

    study: OpenStudy
    config: StudyConfig
    known: dict[int, Evaluation] = field(default_factory=dict)
    waiting: deque[Evaluation] = field(default_factory=deque)
    running: dict[int, Evaluation] = field(default_factory=dict)
    halved: set[int] = field(default_factory=set)  # for which memory was too small once
    failures: int = 0  # in a row
    refusals: int = 0  # in a row

    def read(self) -> None:
        """Settle what a crash left and take everything from the database."""
        self.waiting.extend(recover(self.study))
        self.known = {one.id: one for one in evaluations(self.study)}
        spent = (one for one in attempts(self.study) if one.ending == "out_of_memory")
        self.halved = {one.evaluation_id for one in spent}
        self.refresh_front()

    def protocol(self, row: Evaluation) -> Protocol:
        """Return how the run is trained: with half the batch if the memory was too small."""
        protocol = self.config.protocol
        return protocol.halved() if row.id in self.halved else protocol

    def is_short(self, num_trials: int) -> bool:
        """Say whether finished, running and waiting trainings together miss the total."""
        pending = [one for one in [*self.running.values(), *self.waiting] if one.trial is not None]
        return len(completed(list(self.known.values()))) + len(pending) < num_trials

    def refresh_front(self) -> None:
        """Store the front of what is known."""
        found = front_of(tuple(self.known.values()), self.config.backbone, self.config.cost)
        store_front(self.study, found)
