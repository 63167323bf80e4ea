"""The comparison of methods: a row for each method and report, and what is sooner than what."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .ground import Ground
from .history import EVALUATED, POSTERIOR, RAW, TRUSTED
from .play import Played
from .stops import Stops, stops_of
from .summary import (
    Interval,
    final_difference,
    least_difference,
    mean_of,
    mean_scores,
    shortest_seconds,
    time_curves,
    times_sooner,
    trial_curves,
)
from .table import OURS, PEERS


@dataclass(frozen=True, slots=True)
class Row:
    """What one method reports in one way."""

    method: str
    report: str
    by_trials: list[Interval]  # after 1, 2, ... trials
    by_time: list[Interval]  # at even times
    trusted: list[Interval]  # of who takes what the front claims to be best, by trials
    evaluated: list[Interval]  # the score of everything trained to its end, by trials
    optimism: Interval  # mean over the front, at the end; points
    optimism_of_best: Interval
    optimism_of_best_run: Interval  # the naive claim: the best single value of all


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times sooner ours reaches the final score of a peer's report."""

    ours: str
    peer: str
    report: str  # the peer's
    trials: Interval
    time: Interval
    trusted: Interval  # in trials, to the final score of who trusts the peer's claims
    final_difference: Interval  # of scores, at the horizon
    least_difference: Interval  # where ours is worst


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is printed and written."""

    num_replays: int
    seconds: float  # the time axis ends there
    rows: list[Row]
    ratios: list[Ratio]
    stops: dict[str, Stops]

    def facts(self) -> dict[str, Any]:
        """Return it as plain data, curves as rows of mean, low and high."""
        stops = {name: asdict(one) for name, one in self.stops.items()}
        return {
            "num_replays": self.num_replays,
            "seconds": round(self.seconds, 1),
            "rows": [_plain(asdict(one)) for one in self.rows],
            "ratios": [_plain(asdict(one)) for one in self.ratios],
            "stops": stops,
        }

    def best_peer(self) -> Row | None:
        """Return the peer's row of the highest final mean score, however it reports."""
        peers = [row for row in self.rows if row.method in PEERS]
        return max(peers, key=lambda row: row.by_trials[-1].value, default=None)


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts with intervals, and lists of them, as numbers in one line of text each."""
    return {name: _shown(value) for name, value in facts.items()}


def _shown(value: Any) -> Any:  # noqa: ANN401 of any field
    if isinstance(value, list):
        return {
            end: " ".join(f"{one[end]:.4f}" for one in value) for end in ("value", "low", "high")
        }
    return {k: round(v, 4) for k, v in value.items()} if isinstance(value, dict) else value


def compare(played: Mapping[str, Sequence[Played]], ground: Ground, horizon: int) -> Comparison:
    """Return the comparison of the methods, which have the same replays."""
    seconds = min(shortest_seconds(one) for one in played.values())
    rows = [
        _row(played[name], report, horizon, seconds)
        for name in played
        for report in ((POSTERIOR,) if name in OURS else (POSTERIOR, RAW))
    ]
    front, num_start = ground.front(), len(ground.start)
    ratios = [
        _ratio(played[ours], played[peer], report, horizon, num_start)
        for ours in played
        for peer in played
        if ours in OURS and peer in PEERS
        for report in (POSTERIOR, RAW)
    ]
    stops = {name: stops_of(one, front, num_start) for name, one in played.items()}
    return Comparison(len(next(iter(played.values()))), seconds, rows, ratios, stops)


def _row(played: Sequence[Played], report: str, horizon: int, seconds: float) -> Row:
    evaluated = mean_scores(trial_curves(played, EVALUATED, horizon))
    return Row(
        played[0].method,
        report,
        mean_scores(trial_curves(played, report, horizon)),
        mean_scores(time_curves(played, report, seconds)),
        mean_scores(trial_curves(played, TRUSTED[report], horizon)),
        evaluated,
        mean_of([one.optimism[report].mean for one in played]),
        mean_of([one.optimism[report].best for one in played]),
        mean_of([one.optimism[EVALUATED].best for one in played]),
    )


def _ratio(
    played: Sequence[Played], peer: Sequence[Played], report: str, horizon: int, num_start: int
) -> Ratio:
    trials = trial_curves(played, POSTERIOR, horizon), trial_curves(peer, report, horizon)
    seconds = min(shortest_seconds(played), shortest_seconds(peer))
    times = time_curves(played, POSTERIOR, seconds), time_curves(peer, report, seconds)
    trusted = [
        trial_curves(one, TRUSTED[kind], horizon)
        for one, kind in ((played, POSTERIOR), (peer, report))
    ]
    return Ratio(
        played[0].method,
        peer[0].method,
        report,
        times_sooner(*trials),
        times_sooner(*times),
        times_sooner(*trusted),
        final_difference(*trials),
        least_difference(*trials, num_start),
    )
