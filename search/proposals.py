"""What is trained next, asked from Optuna and stored: the scheduled, then the sampler's."""

import warnings
from dataclasses import replace
from typing import cast

import optuna
from optuna.exceptions import ExperimentalWarning

from space import (
    Architecture,
    Choice,
    assignment,
    cost,
    digest,
    placements_in_words,
    sample,
)
from studies import Evaluation, OpenStudy, add_proposal, refuse
from studies.store.asking import has_queued, unread_ask

from .board import Board
from .budgets import excesses, reason_over
from .config import StudyConfig
from .samplers import UNREADING, Ask, make_sampler
from .schedule import due_replicate, missing_references, missing_scheduled, objective
from .seeds import derived_seed
from .tell import tell

PLACE = "place"  # a constraint's name in Optuna, beside `max_macs` and `max_params`


def next_proposal(board: Board, num_trials: int) -> Evaluation | None:
    """Store what comes next and return it; one that breaks a rule comes back refused.

    None if the total needs no more trainings and every reference was tried.
    """
    study, config, known = board.study, board.config, tuple(board.known.values())
    is_short = board.is_short(num_trials)
    scheduled = next(missing_scheduled(config, known, num_trials), None) if is_short else None
    reference = next(missing_references(config, known), None)
    if scheduled is None and reference is not None:
        return _propose_reference(study, config, reference, len(known))
    if not is_short:
        return None
    wanted = scheduled or due_replicate(board, num_trials)
    ask = Ask(
        derived_seed(config.seed, "sampler", len(known)),
        config.search_space,
        objective(config),
        known,
        board.forecasts,
    )
    return _propose_trial(study, config, ask, wanted)


def _propose_reference(
    study: OpenStudy, config: StudyConfig, architecture: Architecture, proposal: int
) -> Evaluation:
    return add_proposal(
        study,
        architecture,
        trial=None,
        proposal=proposal,
        purpose="reference",
        seed=derived_seed(config.seed, "reference", architecture.backbone),
    )


def _propose_trial(
    study: OpenStudy, config: StudyConfig, ask: Ask, wanted: Architecture | None
) -> Evaluation:
    """Ask Optuna, store the answer as our row, and refuse it at once if a rule forbids it.

    The sampler is seeded from the proposal's number, which a crash before the row does not use up.
    """
    known, proposal = ask.evaluations, len(ask.evaluations)
    if wanted is not None:
        _enqueue(study, config, wanted)
    study.optuna.sampler = make_sampler(config.sampler, ask)
    trial = unread_ask(study) if config.sampler in UNREADING else study.optuna.ask()
    architecture = _drawn(trial, config)
    seen = {
        one.digest
        for one in known
        if one.purpose != "reference" and one.state not in ("failed", "stopped")
    }
    purpose = "replicate" if digest(architecture) in seen else "trial"
    _annotate(trial, architecture, proposal, purpose)
    reason = _reason_refused(trial, architecture, config)
    row = add_proposal(
        study,
        architecture,
        trial=trial.number,
        proposal=proposal,
        purpose="replicate" if purpose == "replicate" else "trial",
        seed=derived_seed(config.seed, "training", proposal),
    )
    return row if reason is None else _refused(study, row, reason)


def _enqueue(study: OpenStudy, config: StudyConfig, architecture: Architecture) -> None:
    """Queue the architecture, unless a crash has left it there already."""
    if not has_queued(study):
        study.optuna.enqueue_trial(assignment(architecture, config.search_space))


def _drawn(trial: optuna.Trial, config: StudyConfig) -> Architecture:
    def choose(name: str, options: tuple[Choice, ...]) -> Choice:
        return cast("Choice", trial.suggest_categorical(name, options))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return sample(choose, config.search_space)


def _annotate(
    trial: optuna.Trial, architecture: Architecture, proposal: int, purpose: str
) -> None:
    """Attach what the dashboard shows; a finished trial is frozen."""
    price = cost(architecture)
    attributes = {
        "placements": placements_in_words(architecture),
        "digest": digest(architecture),
        "macs": price.macs,
        "params": price.params,
        "proposal": proposal,
        "purpose": purpose,
    }
    for name, value in attributes.items():
        trial.set_user_attr(name, value)


def _reason_refused(
    trial: optuna.Trial, architecture: Architecture, config: StudyConfig
) -> str | None:
    """Set the trial's constraints and return the reason not to train it, or None."""
    reason, price = config.search_space.reason_unproposed(architecture), cost(architecture)
    trial.set_constraint(PLACE, 0.0 if reason is None else 1.0)
    for name, excess in excesses(price, config.limits).items():
        trial.set_constraint(f"max_{name}", excess)
    return reason_over(price, config.limits) or reason


def _refused(study: OpenStudy, row: Evaluation, reason: str) -> Evaluation:
    refuse(study, row.id, reason)
    ended = replace(row, state="refused", reason=reason)
    tell(study, ended)
    return ended
