"""What a study trains whatever its sampler thinks: plain, baselines, references, replicates."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from space import Architecture, baselines, cost, digest, plain, references
from studies import Evaluation, front_of

from .board import Board
from .budgets import reason_over
from .config import StudyConfig
from .samplers import Objective, capped, most_decisive, objective_of, replicate_is_due

PLAIN_SEEDS = 3


def missing_scheduled(
    config: StudyConfig, known: Sequence[Evaluation], num_trials: int
) -> Iterator[Architecture]:
    """Yield the plain network until it has its seeds, and the baselines that were never tried."""
    tried = Counter(one.digest for one in known if one.purpose != "reference")
    failed = Counter(one.digest for one in known if one.state == "failed")
    base, *usual = _scheduled(config, num_trials)
    if tried[base.digest] - failed[base.digest] < PLAIN_SEEDS:
        yield base.architecture
    yield from (one.architecture for one in usual if not tried[one.digest])


def missing_references(config: StudyConfig, known: Sequence[Evaluation]) -> Iterator[Architecture]:
    """Yield the plain networks of other depths that were never tried."""
    if not config.references:
        return
    tried = {one.digest for one in known if one.purpose == "reference"}
    others = (plain(one.name) for one in references(config.backbone))
    yield from (one for one in others if digest(one) not in tried)


def due_replicate(board: Board, num_trials: int) -> Architecture | None:
    """Return the network to train with a further seed, if replicates lag behind their share.

    What is scheduled counts on neither side.
    """
    config, known = board.config, board.known.values()
    counted = [one for one in known if one.counts or one.state in ("proposed", "running")]
    trials = [one for one in counted if one.trial is not None]
    num_own = len(trials) - (PLAIN_SEEDS - 1) - len(_scheduled(config, num_trials))
    num_replicates = sum(one.purpose == "replicate" for one in trials) - (PLAIN_SEEDS - 1)
    if not replicate_is_due(num_own, num_replicates, config.replicates):
        return None
    few = capped(tuple(known), np.random.default_rng(config.seed))
    is_whole = len(few) == len(known)
    front = (
        board.front if is_whole else front_of(few, config.backbone, config.cost, board.forecasts)
    )
    return most_decisive(front, objective(config), known)


@cache
def objective(config: StudyConfig) -> Objective:
    """Return what the study's sampler and replicates are chosen for."""
    return objective_of(config.search_space, config.cost, config.limits)


class _Scheduled(NamedTuple):
    digest: str
    architecture: Architecture


@cache
def _scheduled(config: StudyConfig, num_trials: int) -> tuple[_Scheduled, ...]:
    """Return the plain network and the baselines, at most a third of the trials.

    They are asked for before every trial, and take a hundredth of a second to work out.
    """
    usual = baselines(config.search_space).values() if config.baselines else ()
    affordable = [one for one in usual if reason_over(cost(one), config.limits) is None]
    found = [plain(config.backbone), *affordable[: num_trials // 3]]
    return tuple(_Scheduled(digest(one), one) for one in found)
