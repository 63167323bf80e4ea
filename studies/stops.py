"""What early stopping has saved in a study, and what its audits say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .front import Front
from .store.records import Epoch, Evaluation

MIN_AUDITS = 20  # for an interval


@dataclass(frozen=True, slots=True)
class Stops:
    """Counts of a study; a wrong stop is an audited network that is on the front now."""

    num_stopped: int
    saved: float  # share of the epochs that the ended trainings would have taken to their ends
    num_audits: int  # that have ended
    num_wrong: int

    @property
    def wrong(self) -> tuple[float, float] | None:
        """Return the 95 % interval of the share of stops that are wrong; None from few audits.

        Source: Wilson, JASA 22 (158), 1927.
        """
        if self.num_audits < MIN_AUDITS:
            return None
        from scipy.stats import binomtest  # it takes half a second to import

        found = binomtest(self.num_wrong, self.num_audits).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)


def stops_of(
    known: Sequence[Evaluation],
    curves: Mapping[int, Sequence[Epoch]],
    front: Front,
    num_epochs: int,
) -> Stops:
    """Return the counts; `num_epochs` are those of a training that is not stopped."""
    ended = [one for one in known if one.counts]
    stopped = [one for one in ended if one.state == "stopped"]
    audits = [one for one in ended if one.purpose == "audit"]
    saved = sum(num_epochs - len(curves.get(one.id, ())) for one in stopped)
    on_front = {row.digest for row in front.rows}
    return Stops(
        num_stopped=len(stopped),
        saved=saved / (num_epochs * len(ended)) if ended else 0.0,
        num_audits=len(audits),
        num_wrong=sum(one.digest in on_front for one in audits),
    )
