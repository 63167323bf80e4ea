"""What Optuna's dashboard shows of a study beside its own plots: notes and figures of ours."""

from math import isnan
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from space import count_in_words, placements_in_words, share_in_words
from space.files import as_yaml
from studies import Front, OpenStudy, Point, curves, evaluations
from studies.figures import front_figure
from studies.report.figures import progress_figure
from studies.report.progress import progress
from studies.verdicts import NAMES

from .budgets import limits_in_words
from .config import StudyConfig
from .dashboard import is_installed
from .samplers.objective import objective_of

FIGURE, AREA, STAGES = "attention-front", "attention-hypervolume", "attention-stages"
NOTE = "**What these points are.**"  # how our note begins; another is the user's own
MEMBER = "**On the front:**"
NOTED = "attention_noted_trials"  # an attribute of the study: whose notes are ours


def feed(study: OpenStudy, config: StudyConfig, front: Front, title: str) -> None:
    """Save the note, the figures, and a note on each trial that is on the front now."""
    if not is_installed():
        return
    save_note(study, config)
    for name, figure in figures(study, config, front, title).items():
        save_figure(study, name, figure)
    save_member_notes(study, front)


def figures(study: OpenStudy, config: StudyConfig, front: Front, title: str) -> dict[str, Any]:
    """Return the front, how it grew, and what each mechanism does in each stage, if known."""
    from studies.effects.by_stage import effects_of
    from studies.effects.figures import effect_figure
    from studies.effects.map import effect_map

    edge = objective_of(config.search_space, config.cost, config.limits).edge
    steps = progress(front, evaluations(study), curves(study), edge)
    found = {
        FIGURE: front_figure(front, title, config.limits),
        AREA: progress_figure(steps, against_time=False),
    }
    known = effects_of(front, config.search_space)
    if known is not None:
        facts = effect_map(known, len(config.search_space.stages), front.plain_cost)
        found[STAGES] = effect_figure(facts, "What each mechanism does in each stage")
    return found


def save_figure(study: OpenStudy, name: str, figure: Any) -> None:  # noqa: ANN401 - no types
    """Keep a figure where the dashboard shows it: its own show raw single runs."""
    if not is_installed():
        return
    from optuna_dashboard import save_plotly_graph_object

    save_plotly_graph_object(study.optuna, figure, graph_object_id=name)


def save_note(study: OpenStudy, config: StudyConfig) -> None:
    """Keep our note on the study where the dashboard shows it; one of the user's own stays."""
    if is_installed():
        _replace_note(study.optuna, note_of(config), NOTE)


def save_member_notes(study: OpenStudy, front: Front) -> None:
    """Keep a note on the first trial of each row, and empty those of rows that are gone.

    Only there: a note is an attribute of the study, which slows with their number.
    """
    members = {row.trial: member_note(front, rank, row) for rank, row in enumerate(front.rows, 1)}
    before = study.optuna.user_attrs.get(NOTED, [])
    wanted = {**dict.fromkeys(before, ""), **members}
    for trial in study.optuna.get_trials(deepcopy=False):
        if trial.number in wanted:
            _replace_note(_Noted(study.optuna, trial), wanted[trial.number], MEMBER)
    if sorted(members) != before:
        study.optuna.set_user_attr(NOTED, sorted(members))


def note_of(config: StudyConfig) -> str:
    """Return what a reader of the dashboard must know, as Markdown."""
    return (
        f"{NOTE} Each is one training with its noise, replicates included: the luckiest looks "
        "best. Trials marked as pruned were stopped early, or never trained since a rule refused "
        "them.\n\n"
        f"**Where the front is.** The estimates are in this study's figure `{FIGURE}`, in the "
        "database's table `pareto_front`, and in `search front`; its members have a note each, "
        f"and pictures. How it grew is `{AREA}`, what each mechanism does `{STAGES}`.\n\n"
        f"**Budgets.** Proposals have {limits_in_words(config.limits)}.\n"
    )


def member_note(front: Front, rank: int, row: Point) -> str:
    """Return what a front member is and how sure that is, with its configuration to copy."""
    known, share = row.estimate, _shares(front, row)
    error = "unknown" if isnan(known.standard_error) else f"{100 * known.standard_error:.2f}"
    return (
        f"{MEMBER} row {rank}, {placements_in_words(row.architecture)}.\n\n"
        f"Estimated accuracy {100 * known.accuracy:.2f} ± {error} % (n = "
        f"{known.num_evaluations}); {share}.\n\n"
        f"```yaml\n{as_yaml(row.architecture)}```\n"
    )


def _shares(front: Front, row: Point) -> str:
    parts = (
        f"{count_in_words(row.cost[name])} {words} "
        f"({share_in_words(row.cost[name], front.plain_cost[name])})"
        for name, words in NAMES.items()
    )
    return ", ".join(parts)


class _Noted:
    """A finished trial as the dashboard's functions want one: a live one would ask the sampler."""

    def __init__(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self.study = study
        self.storage = study._storage
        self._trial_id = trial._trial_id


def _replace_note(noted: Any, text: str, ours: str) -> None:  # noqa: ANN401 - a study or a _Noted
    """Save the note unless it is there, or the user has written another."""
    from optuna_dashboard import get_note
    from optuna_dashboard import save_note as save

    found = get_note(noted)
    if found != text and (not found or found.startswith(ours)):
        save(noted, text)
