"""The comparison on a surrogate as it is printed: scores, and how much sooner."""

from rich.console import Group
from rich.table import Table

from ..replays.comparison import Comparison

SHOWN = 32  # trainings whose scores stand in the table, beside the last


def tables_of(found: Comparison, ratio: float, reachable: float) -> Group:
    """Return the scores of every report, and below what is sooner than what."""
    title = (
        f"gains {ratio:g} times the noise: score at truth after so many trainings, "
        f"mean of {found.num_replays} replays"
    )
    most = f"the best front that is known scores {reachable:.2f}"
    return Group(_scores(found, title), most, _ratios(found), "")


def _scores(found: Comparison, title: str) -> Table:
    last = len(found.rows[0].by_trials)
    shown = sorted({min(SHOWN, last), last})
    columns = (*(f"{one} (95 %)" for one in shown), "trusted", "all", "claim", "best", "run")
    table = Table("method", "front", *columns, title=title, box=None, collapse_padding=True)
    for row in found.rows:
        scores = [row.by_trials[one - 1].in_words(2) for one in shown]
        ends = (row.trusted[-1], row.evaluated[-1])
        rest = (*ends, row.optimism, row.optimism_of_best, row.optimism_of_best_run)
        table.add_row(row.method, row.report, *scores, *(f"{one.value:.2f}" for one in rest))
    return table


def _ratios(found: Comparison) -> Table:
    columns = ("times fewer (95 %)", "trusted", "more at the end")
    table = Table("ours", "peer", "its front", *columns, box=None, collapse_padding=True)
    for one in found.ratios:
        values = (one.trials, one.trusted, one.final_difference)
        table.add_row(one.ours, one.peer, one.report, *(value.in_words(2) for value in values))
    return table
