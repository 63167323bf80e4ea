"""What a replay asks of a method."""

from enum import Enum
from typing import Protocol

from studies import Epoch, Evaluation

from .history import History


class Action(Enum):
    """What becomes of a training after an epoch; an audit is never looked at again."""

    GO_ON = "go on"
    STOP = "stop"
    AUDIT = "audit"


class Method(Protocol):
    """A sampler, with or without a rule that stops trainings."""

    def ask(self, history: History, wanted: str | None) -> str:
        """Return the architecture to train next: the wanted one, if one is wanted."""

    def watch(self, history: History, row: Evaluation, epochs: tuple[Epoch, ...]) -> Action:
        """Say what becomes of a training after its last epoch so far."""

    def tell(self, row: Evaluation) -> None:
        """Take the row of a training that has ended."""


class Sampler:
    """A method that stops nothing and learns from the history alone."""

    def watch(self, history: History, row: Evaluation, epochs: tuple[Epoch, ...]) -> Action:
        """Let every training go on."""
        return Action.GO_ON

    def tell(self, row: Evaluation) -> None:
        """Learn nothing beside the history."""
