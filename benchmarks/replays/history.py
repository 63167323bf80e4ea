"""What a method has seen so far in a replay, as a study would hold it, and what it reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from studies import Epoch, Evaluation, Front, completed, front_of
from studies.estimates.posterior import Forecast

from ..grid.grid import Run
from .ground import Network

Report = Mapping[str, float]  # by digest: the accuracy that is claimed of each on the front


@dataclass
class History:
    """The evaluations in order, the curves and the forecasts of stopped ones by their ids."""

    backbone: str
    cost_name: str
    evaluations: list[Evaluation] = field(default_factory=list)
    curves: dict[int, Sequence[Epoch]] = field(default_factory=dict)
    forecasts: dict[int, Forecast] = field(default_factory=dict)
    _fronts: dict[int, Front] = field(default_factory=dict)

    def front(self) -> Front:
        """Return the posterior front of what has ended; worked out once for each length."""
        length = len(self.evaluations)
        if length not in self._fronts:
            found = front_of(self.evaluations, self.backbone, self.cost_name, self.forecasts)
            self._fronts = {length: found}
        return self._fronts[length]

    def begun(self, network: Network, run: Run) -> Evaluation:
        """Return the row of a training that begins."""
        number = len(self.evaluations)
        again = any(one.digest == network.digest for one in self.evaluations)
        return Evaluation(
            id=number + 1,
            trial=number,
            proposal=number,
            purpose="replicate" if again else "trial",
            digest=network.digest,
            architecture=network.architecture,
            cost=network.cost,
            seed=run.seed,
            state="running",
            attempt=1,
            reason=None,
            accuracy=None,
            correct=None,
            seconds=None,
            images_per_second=None,
        )


def posterior_report(history: History) -> Report:
    """Return the front of the estimates: what a study of ours reports."""
    return {row.digest: row.estimate.accuracy for row in history.front().rows}


def raw_report(history: History) -> Report:
    """Return the front of single raw values: what Optuna's `best_trials` are."""
    done = completed(history.evaluations)
    report: dict[str, float] = {}
    level = 0.0
    for one in sorted(done, key=lambda row: (row.cost[history.cost_name], -(row.accuracy or 0))):
        if one.accuracy is not None and one.accuracy > level:
            level = report[one.digest] = one.accuracy
    return report


def evaluated_report(history: History) -> Report:
    """Return the best single raw value of everything that was trained to its end."""
    done = completed(history.evaluations)
    return {
        one.digest: max(r.accuracy or 0.0 for r in done if r.digest == one.digest) for one in done
    }


POSTERIOR, RAW, EVALUATED = "posterior", "raw", "evaluated"
REPORTS = {POSTERIOR: posterior_report, RAW: raw_report, EVALUATED: evaluated_report}
TRUSTED = {POSTERIOR: "posterior, trusted", RAW: "raw, trusted"}  # a front's second score
