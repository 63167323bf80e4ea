"""What a stored study says, gathered for `search report`."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from studies import Front, OpenStudy, evaluations
from studies.confirmation.stored import (
    Confirmed,
    confirmations,
    confirmed,
    latency_ratios,
    standing_of,
)
from studies.effects.map import effect_map
from studies.effects.words import name
from studies.report import CONFIRM, Confirmation, Explained, ReportFacts, Words, report_facts

from .budgets import limits_in_words, limits_of
from .config import NUM_VALIDATION, SAMPLE, StudyConfig, config_of
from .confirm.table import ROLES, closing, name_of, verdict
from .dead_modules import Dead
from .effect_table import dead_line
from .explanation import explanation, protocol_in_words
from .front_files import kept_gates
from .options import DEFAULT_STORAGE, DEFAULT_STUDY
from .reporting import neighbour_lines, noise_line, title_of
from .rerun import rerun_command
from .samplers.objective import objective_of


def reported(front: Front, study: OpenStudy) -> ReportFacts:
    """Return everything that the page shows."""
    config = config_of(dict(study.settings))
    edge = objective_of(config.search_space, front.cost_name, config.limits).edge
    found = report_facts(
        study,
        front,
        words=_words(front, study, config),
        edge=edge,
        explained=_explained(front, study),
        confirmations=_confirmations(front, study),
    )
    return replace(
        found, gate_pictures=_gate_pictures(front, study), unfinished=_unfinished(study)
    )


def _gate_pictures(front: Front, study: OpenStudy) -> dict[int, bytes]:
    known = evaluations(study)
    paths = {n: kept_gates(study, known, row.digest) for n, row in enumerate(front.rows, start=1)}
    return {number: path.read_bytes() for number, path in paths.items() if path is not None}


def _words(front: Front, study: OpenStudy, config: StudyConfig) -> Words:
    dataset = config.protocol.dataset
    title = title_of(front, study.name, dataset)
    is_sample = dataset == SAMPLE
    limits = limits_of(study.settings)
    return Words(
        title=f"Study {study.name} on {dataset}" if is_sample else title,
        protocol=protocol_in_words(study.settings),
        budgets=limits_in_words(limits),
        num_validation=NUM_VALIDATION[dataset],
        below_front=(*neighbour_lines(front), noise_line(front)),
        commands=_commands(study, config),
        warning=title if is_sample else "",
        limits=limits,
    )


def _commands(study: OpenStudy, config: StudyConfig) -> dict[str, str]:
    """Return how to make such a study anew, and how to go on from this one."""
    num_trials, named = sum(one.counts for one in evaluations(study)), ""
    if study.url != DEFAULT_STORAGE:
        named += f" --storage {shlex.quote(study.url)}"
    if study.name != DEFAULT_STUDY:
        named += f" --study {shlex.quote(study.name)}"
    return {
        "Make such a study anew": rerun_command(config, num_trials),
        CONFIRM: f"search confirm{named}",
        "Export the recommended network": f"search export{named} --out best.yaml",
    }


def _explained(front: Front, study: OpenStudy) -> Explained | None:
    if front.posterior is None:
        return None
    found = explanation(front, study)
    num_stages = len(found.search_space.stages)
    facts = effect_map(found.effects, num_stages, front.plain_cost)
    return Explained(facts, found.conclusion, _dead_lines(found.dead))


def _dead_lines(found: Sequence[Dead]) -> tuple[str, ...]:
    line = dead_line(found)
    if line is not None:
        return (line,)
    return tuple(
        f"{name(one.cell)}: ended without effect in {one.num_dead} of {one.num_trainings} "
        f"trainings; {one.reason}"
        for one in found
        if one.num_dead
    )


def _confirmations(front: Front, study: OpenStudy) -> tuple[Confirmation, ...]:
    # Those of `search baselines` have no finalists; what is not read yet confirms nothing.
    begun = [one for one in confirmations(study) if one.finalists]
    plans = [one for one in begun if standing_of(study, one).is_read]
    return tuple(
        Confirmation(
            found := confirmed(study, plan, front.noise),
            _labels(found),
            tuple(name_of(one.arm) for one in found.arms),
            latency_ratios(study, plan),
            verdict(found),
            tuple(closing(found)[:-1]),  # the last is the verdict
        )
        for plan in plans
    )


def _unfinished(study: OpenStudy) -> tuple[str, ...]:
    """Say of each confirmation that was begun and is not finished how far it is."""
    begun = [standing_of(study, one) for one in confirmations(study) if one.finalists]
    return tuple(
        f"A confirmation was begun and is not finished: {one.in_words()}"
        for one in begun
        if not one.is_read
    )


def _labels(found: Confirmed) -> tuple[str, ...]:
    """Return a short name of each arm, each a different one."""
    numbers = count(1)
    return tuple(
        f"finalist {next(numbers)}" if one.arm.role == "finalist" else ROLES[one.arm.role]
        for one in found.arms
    )
