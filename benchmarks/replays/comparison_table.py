"""A comparison of methods as it is printed."""

from rich.table import Table

from .comparison import Comparison, Ratio
from .history import RAW
from .stops import Stops

SHOWN = (16, 32)  # trials whose scores stand in the table, beside the last


def table_of(found: Comparison) -> Table:
    """Return the rows for the screen."""
    last = len(found.rows[0].by_trials)
    shown = [one for one in SHOWN if one < last]
    title = f"score at truth after so many trials, mean of {found.num_replays} replays"
    columns = (*map(str, shown), f"{last} (95 %)", "trusted", "all", "claim", "best", "run")
    table = Table("method", "front", *columns, title=title, box=None, collapse_padding=True)
    for row in found.rows:
        ended = row.by_trials[-1].in_words(2)
        values = [row.by_trials[one - 1] for one in shown]
        ends = (row.trusted[-1], row.evaluated[-1])
        rest = (*ends, row.optimism, row.optimism_of_best, row.optimism_of_best_run)
        words = [[f"{one.value:.2f}" for one in part] for part in (values, rest)]
        table.add_row(row.method, row.report, *words[0], ended, *words[1])
    return table


def lines_of(found: Comparison, reachable: float) -> list[str]:
    """Return what stands below the table: its legend, the ratios that matter most, and stops."""
    best = found.best_peer()
    wanted = {("random", RAW), ("moasha", RAW), (best.method, best.report) if best else None}
    return [
        "trusted: of who takes, at each cost, what the front claims to be best up to it",
        "all: of everything trained to its end. claim, best, run: points that are claimed too "
        "much, of the front's networks, of its best, and of the best single run",
        f"the whole grid at the mean of all its trainings scores {reachable:.2f}",
        *(_ratio_line(one) for one in found.ratios if (one.peer, one.report) in wanted),
        *(_stops_line(name, one) for name, one in found.stops.items() if one.num_stopped),
    ]


def _ratio_line(one: Ratio) -> str:
    return (
        f"{one.ours} against {one.peer}'s {one.report} front: "
        f"{one.trials.in_words(2)} times fewer trials, {one.time.in_words(2)} times less time; "
        f"{one.final_difference.in_words(2)} more at the end, "
        f"{one.least_difference.in_words(2)} where it is least"
    )


def _stops_line(name: str, one: Stops) -> str:
    return (
        f"{name}: {one.num_stopped} of {one.num_trainings} trainings stopped, "
        f"{one.times_fewer:.2f} times fewer epochs; of the true front's networks "
        f"{one.num_front_stopped} of {one.num_front} ({100 * one.wrong:.1f} %)"
    )
