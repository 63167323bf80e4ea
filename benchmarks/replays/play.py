"""One replay of one method."""

from dataclasses import dataclass, replace

from studies import Evaluation

from ..grid.grid import Grid, Run
from .draws import Scale
from .ground import Ground, Luck, Network, area, trusted_area
from .history import REPORTS, TRUSTED, History, Report
from .method import Action, Method

MOST_TRIALS = 8  # times the horizon, of a method that stops trainings


@dataclass(frozen=True, slots=True)
class Trial:
    """A training as it went."""

    name: str
    purpose: str
    is_stopped: bool
    epochs: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Optimism:
    """What a report claims less what is true: the mean over its networks, and of the best one."""

    mean: float
    best: float


@dataclass(frozen=True, slots=True)
class Played:
    """A method's replay: its trainings, and after each of them every report's score at truth.

    A score is the area above plain in points of accuracy times units of the cost axis; a front has
    a second one, of who trusts its claims.
    """

    method: str
    replay: int
    trials: tuple[Trial, ...]
    scores: dict[str, tuple[float, ...]]
    optimism: dict[str, Optimism]  # at the end


def play(name: str, method: Method, luck: Luck, ground: Ground, horizon: int) -> Played:
    """Return how a method does with the budget of so many full trainings.

    One that stops trainings begins more of them; it goes on until their epochs are spent.
    """
    trials, reports, names = list[Trial](), list[dict[str, Report]](), dict[str, str]()
    history = History(ground.plain.architecture.backbone, ground.cost_name)
    budget = horizon * ground.num_epochs
    while budget > 0 and len(trials) < MOST_TRIALS * horizon:
        wanted = ground.start[len(trials)] if len(trials) < len(ground.start) else None
        network = ground.network(method.ask(history, wanted))
        names[network.digest] = network.name
        run = luck.draw(network.name)
        row = _trained(method, history, history.begun(network, run), run)
        method.tell(row)
        trial = _trial(network, row, history)
        trials.append(trial)
        budget -= trial.epochs
        reports.append({kind: report(history) for kind, report in REPORTS.items()})
    named = [
        {
            kind: {names[key]: value for key, value in report.items()}
            for kind, report in one.items()
        }
        for one in reports
    ]
    scores = {kind: tuple(_score(one[kind], luck, ground) for one in named) for kind in REPORTS}
    for kind, trusted in TRUSTED.items():
        scores[trusted] = tuple(_trusted_score(one[kind], luck, ground) for one in named)
    optimism = {kind: _optimism(named[-1][kind], luck, ground) for kind in REPORTS}
    return Played(name, luck.replay, tuple(trials), scores, optimism)


def _trained(method: Method, history: History, row: Evaluation, run: Run) -> Evaluation:
    """Follow a training epoch by epoch, as the method watches it, and store what came of it."""
    ended = replace(row, state="complete", accuracy=run.accuracy, correct=run.correct)
    curve = run.curve
    watched = True
    for epoch in range(1, len(run.curve) + 1):
        action = method.watch(history, row, run.curve[:epoch]) if watched else Action.GO_ON
        if action is Action.AUDIT:
            watched, ended = False, replace(ended, purpose="audit")
        if action is Action.STOP:
            ended, curve = replace(row, state="stopped"), run.curve[:epoch]
            break
    history.evaluations.append(ended)
    history.curves[row.id] = curve
    return ended


def _trial(network: Network, row: Evaluation, history: History) -> Trial:
    epochs = len(history.curves[row.id])
    seconds = epochs * network.epoch_seconds
    return Trial(network.name, row.purpose, row.state == "stopped", epochs, seconds)


def _score(report: Report, luck: Luck, ground: Ground) -> float:
    truths = {name: luck.truth(name) for name in report}
    return float(100 * area(ground, truths, luck.truth(ground.plain.name)))


def _trusted_score(report: Report, luck: Luck, ground: Ground) -> float:
    truths = {name: luck.truth(name) for name in report}
    return float(100 * trusted_area(ground, report, truths, luck.truth(ground.plain.name)))


def _optimism(report: Report, luck: Luck, ground: Ground) -> Optimism:
    """Return how much too high the claims are, in points; plain's own claim is no report."""
    claims = {name: claim for name, claim in report.items() if name != ground.plain.name}
    if not claims:
        return Optimism(0.0, 0.0)
    over = {name: 100 * float(claim - luck.truth(name)) for name, claim in claims.items()}
    best = max(claims, key=lambda name: claims[name])
    return Optimism(sum(over.values()) / len(over), over[best])


def reachable(grid: Grid, cost_name: str) -> float:
    """Return the score of the whole grid at the mean of all trainings: the most there is."""
    scale = Scale(grid, cost_name)
    means = {one.name: one.mean for one in grid.entries}
    return 100 * scale.area(means, scale.plain.mean)
