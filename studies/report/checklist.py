"""The checklist of good research on architecture search, answered from a study's records.

Source: Lindauer and Hutter, Best Practices for Scientific Research on Neural Architecture Search,
JMLR 21(243), 2020, arXiv:1909.02453: the sixteen questions of the checklist, in other words.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..store.sessions import versions
from .facts import ReportFacts
from .parts import hours

SOURCE = (
    "Lindauer and Hutter, Best Practices for Scientific Research on Neural Architecture Search, "
    "JMLR 21 (243), 2020, arXiv:1909.02453; its sixteen questions in other words."
)
Answer = Literal["yes", "partly", "no", "not applicable"]
Found = tuple[Answer, str]


@dataclass(frozen=True, slots=True)
class Item:
    """One question, its answer, and the fact behind it."""

    question: str
    answer: Answer
    fact: str


def checklist(facts: ReportFacts) -> tuple[Item, ...]:
    """Return every question with what the study's records say."""
    return tuple(Item(question, *answered(facts)) for question, answered in QUESTIONS)


def _program(_facts: ReportFacts) -> Found:
    own = versions().get("attention-search", "of an unknown version")
    return "yes", f"attention-search {own} (Apache-2.0) trains in the search and afterwards"


def _space(facts: ReportFacts) -> Found:
    digest = facts.settings.get("space_digest", "not recorded")
    return "yes", f"part of the program (`search space`); digest of its parameters {digest}"


def _final_protocol(facts: ReportFacts) -> Found:
    if not facts.confirmations:
        return "no", "there was no final evaluation yet: `search confirm` makes and stores one"
    plan = facts.confirmations[-1].found.confirmation
    seeds = sum(len(arm.seeds) for arm in plan.arms)
    return "yes", f"{plan.epochs} epochs, {plan.num_images:,} images; {seeds} stored seeds"


def _method(facts: ReportFacts) -> Found:
    return "yes", f"sampler {facts.settings['sampler']} of this program"


def _method_settings(facts: ReportFacts) -> Found:
    settings = facts.settings
    stops = f"early stopping, audits {settings['audit']}" if settings["early_stop"] else "no stops"
    return (
        "yes",
        f"sampler {settings['sampler']}, seed {settings['seed']}, replicates "
        f"{settings['replicates']}, {stops}; every training's own seed is stored",
    )


def _same_training(facts: ReportFacts) -> Found:
    settings, halved = facts.settings, facts.spent.num_halved
    shared = (
        f"all networks share data, split (seed {settings.get('data_seed', 0)}), space and "
        f"protocol {settings['protocol_digest']}"
    )
    if halved:
        return "partly", f"{shared}; but memory ran out for {halved}, trained with half the batch"
    return "yes", shared


def _confounders(facts: ReportFacts) -> Found:
    known = [one.surroundings for one in facts.sessions]
    if not known:
        return "no", "hardware and versions were not recorded"
    kinds = {(one.hardware, *sorted(one.versions.items())) for one in known}
    if len(kinds) == 1:
        return "yes", f"one machine ({known[0].hardware}) and one set of versions in all sessions"
    return "partly", f"{len(kinds)} different machines or sets of versions, listed above"


def _ablations(facts: ReportFacts) -> Found:
    number, _ = facts.spent.extras.get("ablation", (0, 0.0))
    if number:
        return (
            "yes",
            f"{number} trainings, with and without one placement, or with it moved",
        )
    return "no", "none was trained; `search explain --ablate` does"


def _same_measure(facts: ReportFacts) -> Found:
    images = facts.words.num_validation
    return "yes", f"accuracy after the last epoch on the same {images:,} validation images"


def _over_time(facts: ReportFacts) -> Found:
    if not facts.progress:
        return "no", "nothing to compare: the plain network has no finished training"
    return "yes", "hypervolume against trainings and against training time, above"


def _random_search(facts: ReportFacts) -> Found:
    if facts.settings["sampler"] == "random":
        return "yes", "this study is a random search"
    arms = [arm for one in facts.confirmations for arm in one.found.confirmation.arms]
    if any(one.role == "random" for one in arms):
        return "partly", "the confirmation holds a random architecture as dear as the finalist"
    return "no", "within this study: another with --sampler random, of equal length, would do"


def _repeated(facts: ReportFacts) -> Found:
    repeated = [one for one in facts.front.points if one.estimate.num_evaluations > 1]
    runs = sum(one.estimate.num_evaluations for one in repeated)
    return (
        "partly",
        f"the search ran once (seed {facts.settings['seed']}); {len(repeated)} of its networks "
        f"were trained more than once, {runs} times in all, with seeds of their own",
    )


def _benchmarks(_facts: ReportFacts) -> Found:
    return (
        "not applicable",
        "one study is one search; the program's samplers have a grid of theirs",
    )


def _tuning(_facts: ReportFacts) -> Found:
    return "no", "the protocol was given to the study; how it was found is not recorded"


def _whole_time(facts: ReportFacts) -> Found:
    extra = sum(seconds for _, seconds in facts.spent.extras.values())
    own = hours(facts.spent.seconds)
    return (
        "yes",
        f"{own} of training in the study, {hours(extra)} beside it (confirmation and such)",
    )


def _setup(facts: ReportFacts) -> Found:
    if facts.sessions:
        return "yes", "the protocol in full, machine, versions and commands are above"
    return "partly", "the protocol in full is above; machine and versions were not recorded"


QUESTIONS: tuple[tuple[str, Callable[[ReportFacts], Found]], ...] = (
    ("Is the code that trains the final networks released?", _program),
    ("Is the search space released as code?", _space),
    ("Are settings and seeds of the final evaluation given?", _final_protocol),
    ("Is the code of the search method released?", _method),
    ("Are the settings and seeds of the search method given?", _method_settings),
    (
        "Do all that are compared share data, split, space, training code, settings?",
        _same_training,
    ),
    ("Are hardware, library versions and run times kept equal?", _confounders),
    ("Were ablations made?", _ablations),
    ("Is everything compared measured in the same way?", _same_measure),
    ("Is performance shown over time?", _over_time),
    ("Is there a comparison with random search?", _random_search),
    ("Was the experiment repeated, and are the seeds given?", _repeated),
    ("Were tabular or surrogate benchmarks used to study the method?", _benchmarks),
    ("Is it told how settings were tuned, and at what cost?", _tuning),
    ("Is the time of the whole method given, not of the search alone?", _whole_time),
    ("Is the set-up described in full?", _setup),
)
