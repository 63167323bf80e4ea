"""What stopping rules cost and save in replays."""

from collections.abc import Sequence
from dataclasses import dataclass

from .play import Played


@dataclass(frozen=True, slots=True)
class Stops:
    """Counts over all replays of a method.

    Of the networks on the true front, those that were proposed to be stopped or not (what every
    method starts with never is), and those that were stopped; and what epochs were spent.
    """

    num_front: int
    num_front_stopped: int
    num_trainings: int
    num_stopped: int
    epochs: int
    full_epochs: int  # of the same trainings, had none been stopped

    @property
    def wrong(self) -> float:
        """Return the share of the true front's networks that were stopped."""
        return self.num_front_stopped / self.num_front if self.num_front else 0.0

    @property
    def times_fewer(self) -> float:
        """Return how many times fewer epochs the trainings took than without stopping."""
        return self.full_epochs / self.epochs


def stops_of(played: Sequence[Played], front: Sequence[str], num_start: int) -> Stops:
    """Count; a network that is stopped once counts, though another seed may reach its end."""
    num_front = num_front_stopped = 0
    for one in played:
        started = {trial.name for trial in one.trials[num_start:]} - {
            trial.name for trial in one.trials[:num_start]
        }
        stopped = {trial.name for trial in one.trials if trial.is_stopped}
        num_front += len(started & set(front))
        num_front_stopped += len(stopped & set(front))
    trials = [trial for one in played for trial in one.trials]
    most = max(trial.epochs for trial in trials)
    return Stops(
        num_front,
        num_front_stopped,
        len(trials),
        sum(trial.is_stopped for trial in trials),
        sum(trial.epochs for trial in trials),
        most * len(trials),
    )
