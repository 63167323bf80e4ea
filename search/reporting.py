"""The front on the screen: as a table, as JSON, as CSV."""

import csv
import io
import json
from math import isnan

from rich.console import Console
from rich.table import Table

from space import count_in_words, placements_in_words, share_in_words
from studies import Front, Point, neighbours, verdict
from studies.estimates.posterior import Noise

from .config import SAMPLE

FORMATS = ("table", "json", "csv")
MIN_WIDTH = 140  # of output that goes to no terminal: the widest table is whole


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that is wide enough where no terminal says how wide it is."""
    console = Console(highlight=False, stderr=stderr)
    if console.is_terminal:
        return console
    return Console(highlight=False, stderr=stderr, width=MIN_WIDTH)


def title_of(front: Front, study: str, dataset: str) -> str:
    """Return what the table and the figure are, with the error of a single run."""
    if dataset != SAMPLE:
        return f"Pareto front of study {study} on {dataset}"
    error = run_error(front, num_validation=1_000)
    points = f"±{error:.1f} points" if error else "unknown error"
    return f"Installation check on a few sample images (one run: {points}): not a result"


def run_error(front: Front, num_validation: int) -> float | None:
    """Return the 95 % half-width of one run's accuracy in points: noise, and the few images."""
    if front.noise is None or front.plain is None:
        return None
    level = front.plain.estimate.accuracy
    sampled = max(0.0, level * (1 - level) / num_validation - front.flips)
    return float(196 * (front.noise.sd**2 + sampled) ** 0.5)


def front_table(front: Front, title: str) -> Table:
    """Return the table: what each row is, what is known of it, what it costs."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for name, justify in (
        ("row", "right"),
        ("trial", "right"),
        ("placements", "left"),
        ("accuracy, %", "right"),
        ("gain, points", "right"),
        ("n", "right"),
        ("MACs", "right"),
        ("params", "right"),
    ):
        table.add_column(
            name, justify="left" if justify == "left" else "right", no_wrap=justify == "right"
        )
    for rank, row in enumerate(front.rows, start=1):
        table.add_row(str(rank), str(row.trial), *_cells(front, row))
    return table


def footer(front: Front) -> list[str]:
    """Return the lines below the table: references, alike neighbours, noise, verdict."""
    lines = []
    if front.references:
        parts = [
            f"{one.name} {100 * one.accuracy:.2f} % for "
            f"{share_in_words(one.cost[front.cost_name], front.plain_cost[front.cost_name])}"
            for one in front.references
        ]
        lines.append(f"plain networks of other depths (raw, n = 1): {', '.join(parts)}")
    lines += neighbour_lines(front)
    lines.append(noise_line(front))
    lines.append(f"verdict: {verdict(front)}")
    return lines


def neighbour_lines(front: Front) -> list[str]:
    """Return a line for each two rows that cannot be told apart."""
    return [
        f"rows {one.cheaper} and {one.dearer} cannot be told apart: the dearer one is better with "
        f"{100 * one.probability:.0f} %, paired {100 * one.paired.mean:+.2f} ± "
        f"{100 * one.paired.standard_error:.2f} points"
        for one in neighbours(front)
        if front.noise is not None and not one.are_told_apart
    ]


def noise_line(front: Front) -> str:
    """Return what the replicates say of a single run."""
    return noise_in_words(front.noise)


def noise_in_words(noise: Noise | None) -> str:
    """Return what a noise means for single runs."""
    if noise is None:
        return "run-to-run noise: not measured yet"
    return (
        f"run-to-run sd {100 * noise.sd:.2f} points ({noise.degrees_of_freedom} "
        f"degrees of freedom); two single runs closer than {100 * noise.resolution:.2f} "
        "cannot be told apart"
    )


def print_front(console: Console, front: Front, title: str) -> None:
    """Print the table and the lines below it."""
    console.print(front_table(front, title))
    for line in footer(front):
        console.print(line, soft_wrap=True, markup=False)


def front_json(front: Front) -> str:
    """Return the rows, the references, the noise and the verdict as JSON."""
    noise = front.noise
    data = {
        "cost": front.cost_name,
        "rows": [_facts(front, rank, row) for rank, row in enumerate(front.rows, start=1)],
        "references": [
            {
                "backbone": r.name,
                "accuracy": r.accuracy,
                "macs": r.cost.macs,
                "params": r.cost.params,
            }
            for r in front.references
        ],
        "neighbours": [
            {
                "cheaper": one.cheaper,
                "dearer": one.dearer,
                "probability_better": None if isnan(one.probability) else one.probability,
                "paired_difference": one.paired.mean,
                "paired_error": one.paired.standard_error,
                "are_told_apart": one.are_told_apart,
            }
            for one in neighbours(front)
        ],
        "noise": noise and {"sd": noise.sd, "degrees_of_freedom": noise.degrees_of_freedom},
        "num_trainings": front.num_trainings,
        "verdict": verdict(front),
    }
    return json.dumps(data, indent=2)


def front_csv(front: Front) -> str:
    """Return the rows as CSV."""
    rows = [_facts(front, rank, row) for rank, row in enumerate(front.rows, start=1)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["row"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**one, "architecture": json.dumps(one["architecture"])} for one in rows)
    return text.getvalue().rstrip("\n")


def _cells(front: Front, row: Point) -> tuple[str, ...]:
    known, base = row.estimate, front.plain_cost
    gain = "" if row.architecture.is_plain else f"{100 * known.gain:+.2f}"
    return (
        placements_in_words(row.architecture),
        f"{100 * known.accuracy:.2f} ± {_error(known.standard_error)}",
        f"{gain} ± {_error(known.gain_error)}" if gain else "",
        str(known.num_evaluations),
        f"{count_in_words(row.cost.macs)} ({share_in_words(row.cost.macs, base.macs)})",
        f"{count_in_words(row.cost.params)} ({share_in_words(row.cost.params, base.params)})",
    )


def _error(value: float) -> str:
    return "?" if isnan(value) else f"{100 * value:.2f}"


def _facts(front: Front, rank: int, row: Point) -> dict[str, object]:
    known = row.estimate
    return {
        "row": rank,
        "trial": row.trial,
        "placements": placements_in_words(row.architecture),
        "estimate": known.accuracy,
        "standard_error": None if isnan(known.standard_error) else known.standard_error,
        "gain": None if isnan(known.gain) else known.gain,
        "gain_error": None if isnan(known.gain_error) else known.gain_error,
        "num_evaluations": known.num_evaluations,
        "raw_mean": known.raw_mean,
        "macs": row.cost.macs,
        "macs_over_plain": row.cost.macs / front.plain_cost.macs,
        "params": row.cost.params,
        "params_over_plain": row.cost.params / front.plain_cost.params,
        "digest": row.digest,
        "architecture": row.architecture.model_dump(mode="json"),
    }
