"""Who hears what the driver does: a display, a test, nobody."""

from studies import Epoch, Evaluation, Front


class Listener:
    """Hears everything and does nothing; a display overrides what it shows."""

    def started(self, row: Evaluation) -> None:
        """Hear that a training was submitted."""

    def epoch(self, row: Evaluation, epoch: Epoch) -> None:
        """Hear of one epoch."""

    def finished(self, row: Evaluation) -> None:
        """Hear that a training ended: complete, stopped or failed."""

    def audited(self, row: Evaluation) -> None:
        """Hear that a training, which would be stopped, goes on to its end as an audit."""

    def learned(self, front: Front) -> None:
        """Hear what the trainings so far say."""

    def halved(self, row: Evaluation, batch_size: int) -> None:
        """Hear that memory ran out, and with what batch the training begins again."""

    def refused(self, row: Evaluation) -> None:
        """Hear that a proposal cost too much."""
