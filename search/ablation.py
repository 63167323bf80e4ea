"""Paired ablations of front members: which trainings they need, and what those show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from space import Architecture, digest, placements_in_words
from studies import Front, OpenStudy, Point
from studies.effects.ablations import Ablated, ablated, ablations
from studies.store.extras import Extra, Wanted, known_extras

from .config import StudyConfig
from .seeds import derived_seed

MOST_SEEDS = 50


@dataclass(frozen=True, slots=True)
class Member:
    """A front member and what each of its changes costs or wins, by fresh trainings."""

    point: Point
    changes: tuple[Ablated, ...]
    num_possible: int  # changes, trained or not, for which the intervals are corrected


def wanted_of(architecture: Architecture, config: StudyConfig, num_seeds: int) -> list[Wanted]:
    """Return the trainings: the member itself and each change, with the same fresh seeds."""
    networks = [architecture, *(one.architecture for one in ablations(architecture))]
    seeds = [derived_seed(config.seed, "ablation", turn) for turn in range(num_seeds)]
    own = config.protocol.digest()
    return [Wanted("ablation", one, seed, own) for seed in seeds for one in networks]


def members(study: OpenStudy, front: Front, config: StudyConfig) -> tuple[Member, ...]:
    """Return the rows of the front for which ablations were trained; reads only."""
    found = (_member(study, front, config, row) for row in front.rows)
    return tuple(one for one in found if one.changes)


def _member(study: OpenStudy, front: Front, config: StudyConfig, row: Point) -> Member:
    if row.architecture.is_plain:
        return Member(row, (), 0)
    done = known_extras(study, wanted_of(row.architecture, config, MOST_SEEDS))
    own = _bits(done, row.architecture)
    changes = ablations(row.architecture)
    compared = [
        ablated(one.what, own, theirs, front, len(changes))
        for one in changes
        if own and (theirs := _bits(done, one.architecture))
    ]
    return Member(row, tuple(compared), len(changes))


def _bits(done: Sequence[Extra], architecture: Architecture) -> list[bytes]:
    key = digest(architecture)  # two spellings of one network are one
    return [one.correct for one in done if one.correct is not None and one.digest == key]


def table(member: Member) -> Table:
    """Return a row for each change: what the member has over it."""
    title = f"Ablations of {placements_in_words(member.point.architecture)}"
    number = f"{member.num_possible} change{'s' * (member.num_possible > 1)}"
    caption = f"intervals: Bonferroni's for {number} of this network, 95 % together"
    shown = Table(title=title, title_justify="left", title_style="bold", caption=caption)
    shown.add_column("change")
    for label in ("what it costs (95 %), points", "n", "n without"):
        shown.add_column(label, justify="right", no_wrap=True)
    for one in member.changes:
        ends = f"{100 * one.low:+.2f} to {100 * one.high:+.2f}"
        shown.add_row(
            one.what,
            f"{100 * one.difference.mean:+.2f} ({ends})",
            str(one.num_runs),
            str(one.num_ablated_runs),
        )
    return shown


def facts(member: Member) -> Mapping[str, object]:
    """Return the same as plain data; accuracies from 0 to 1."""
    return {
        "trial": member.point.trial,
        "digest": member.point.digest,
        "num_possible": member.num_possible,
        "changes": [
            {
                "what": one.what,
                "cost": one.difference.mean,
                "standard_error": one.difference.standard_error,
                "low": one.low,
                "high": one.high,
                "num_runs": one.num_runs,
                "num_ablated_runs": one.num_ablated_runs,
            }
            for one in member.changes
        ],
    }
