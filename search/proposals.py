"""What is trained next: plain three times, the baselines, the references, then the sampler's."""

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple, cast

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from space import (
    Architecture,
    Choice,
    assignment,
    baselines,
    cost,
    digest,
    placements_in_words,
    plain,
    references,
    sample,
)
from studies import Evaluation, OpenStudy, add_proposal, refuse

from .config import StudyConfig
from .samplers import make_sampler
from .seeds import derived_seed
from .tell import tell

PLAIN_SEEDS = 3
# The constraints' names in Optuna: at most 0 is allowed.
BUDGET = "budget"
PLACE = "place"


def next_proposal(
    study: OpenStudy,
    config: StudyConfig,
    known: Sequence[Evaluation],
    *,
    num_trials: int,
    is_short: bool,
) -> Evaluation | None:
    """Store what comes next and return it; one that breaks a rule comes back refused.

    `is_short` says that the total needs one more training; without it only references are left.
    """
    scheduled = next(_missing_scheduled(config, known, num_trials), None) if is_short else None
    reference = next(_missing_references(config, known), None)
    if scheduled is None and reference is not None:
        return _propose_reference(study, config, reference, len(known))
    return _propose_trial(study, config, known, scheduled) if is_short else None


class _Scheduled(NamedTuple):
    digest: str
    architecture: Architecture


@cache
def _scheduled(config: StudyConfig, num_trials: int) -> tuple[_Scheduled, ...]:
    """Return the plain network and the baselines, at most a third of the trials.

    They are asked for before every trial, and take a hundredth of a second to work out.
    """
    usual = baselines(config.search_space).values() if config.baselines else ()
    affordable = [one for one in usual if _over_budget(config, one) <= 0]
    found = [plain(config.backbone), *affordable[: num_trials // 3]]
    return tuple(_Scheduled(digest(one), one) for one in found)


def _missing_scheduled(
    config: StudyConfig, known: Sequence[Evaluation], num_trials: int
) -> Iterator[Architecture]:
    tried = Counter(one.digest for one in known if one.purpose != "reference")
    failed = Counter(one.digest for one in known if one.state == "failed")
    base, *usual = _scheduled(config, num_trials)
    if tried[base.digest] - failed[base.digest] < PLAIN_SEEDS:
        yield base.architecture
    yield from (one.architecture for one in usual if not tried[one.digest])


def _missing_references(
    config: StudyConfig, known: Sequence[Evaluation]
) -> Iterator[Architecture]:
    if not config.references:
        return
    tried = {one.digest for one in known if one.purpose == "reference"}
    others = (plain(one.name) for one in references(config.backbone))
    yield from (one for one in others if digest(one) not in tried)


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
    study: OpenStudy,
    config: StudyConfig,
    known: Sequence[Evaluation],
    scheduled: Architecture | None,
) -> Evaluation:
    """Ask Optuna, store the answer as our row, and refuse it at once if a rule forbids it.

    The sampler is seeded from the proposal's number, which a crash before the row does not use up.
    """
    proposal = len(known)
    if scheduled is not None:
        _enqueue(study, config, scheduled)
    seed = derived_seed(config.seed, "sampler", proposal)
    study.optuna.sampler = make_sampler(config.sampler, seed)
    trial = study.optuna.ask()
    architecture = _drawn(trial, config)
    seen = {one.digest for one in known if one.purpose != "reference" and one.state != "failed"}
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
    if not study.optuna.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
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
    reason = config.search_space.reason_unproposed(architecture)
    excess = _over_budget(config, architecture)
    trial.set_constraint(PLACE, 0.0 if reason is None else 1.0)
    if config.budget is None:
        return reason
    trial.set_constraint(BUDGET, excess)
    if excess > 0:
        return f"{config.cost} {config.budget + excess:.2f} times plain, over the budget"
    return reason


def _over_budget(config: StudyConfig, architecture: Architecture) -> float:
    """Return how far the cost over plain lies above the budget; at most 0 is allowed."""
    if config.budget is None:
        return 0.0
    least = cost(plain(config.backbone))[config.cost]
    return cost(architecture)[config.cost] / least - config.budget


def _refused(study: OpenStudy, row: Evaluation, reason: str) -> Evaluation:
    refuse(study, row.id, reason)
    ended = replace(row, state="refused", reason=reason)
    tell(study, ended)
    return ended
