"""The sections of the page, in the order in which they are read."""

from ..effects.figures import LEGEND, effect_figure
from ..effects.words import counted
from ..stops import Stops
from .checklist import SOURCE, checklist
from .choices_figure import choices_figure
from .confirmed_part import confirmed_section
from .facts import ReportFacts
from .figures import (
    learning_figure,
    map_for_page,
    progress_figure,
)
from .front_part import front_section, networks_section
from .gates_part import gates_section
from .parts import Picture, Section, Table
from .provenance import provenance


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return every part of the page below the verdict."""
    return (
        front_section(facts),
        networks_section(facts),
        confirmed_section(facts),
        _effects(facts),
        _choices(facts),
        _progress(facts),
        _learning(facts),
        gates_section(facts),
        provenance(facts),
        _checklist(facts),
    )


def _effects(facts: ReportFacts) -> Section:
    title = "What each mechanism does in each stage"
    known = facts.explained
    if known is None:
        return Section(
            "effects",
            title,
            ("Unknown: no network was trained twice, so no effect has an error.",),
        )
    picture = Picture(
        map_for_page(effect_figure(known.effects, "")),
        f"Estimated effects of {len(known.effects.tiles)} pairs of a mechanism and a stage.",
        LEGEND.replace("<br>", " "),
    )
    return Section(
        "effects",
        title,
        (known.conclusion,),
        (picture,) * bool(known.effects.kinds),
        notes=known.dead,
    )


def _choices(facts: ReportFacts) -> Section:
    found = facts.choices
    picture = Picture(
        choices_figure(found),
        f"Parallel coordinates of {len(found.lines)} networks: stages, cost and accuracy.",
        "Each line is a network; the greener, the more accurate. Drag along an axis to keep the "
        "lines that pass there, click it to let go.",
    )
    return Section("choices", "Choices, cost and accuracy", pictures=(picture,))


def _progress(facts: ReportFacts) -> Section:
    caption = (
        "The area above plain and below the front, left of the budget (or of 1.1 times the "
        "dearest baseline), in points times the cost axis; by the final estimates of the networks "
        "tried so far."
    )
    alt = "Hypervolume of the front against"
    pictures = (
        Picture(progress_figure(facts.progress, against_time=False), f"{alt} trainings."),
        Picture(progress_figure(facts.progress, against_time=True), f"{alt} training time."),
    )
    return Section(
        "progress",
        "How the front grew",
        (caption,) if facts.progress else ("Unknown: plain has no finished training.",),
        pictures if facts.progress else (),
    )


def _learning(facts: ReportFacts) -> Section:
    if not facts.curves:
        return Section("learning", "Learning curves", ("No epoch was stored.",))
    picture = Picture(
        learning_figure(facts.curves),
        f"Validation accuracy of {len(facts.curves)} trainings after each epoch.",
    )
    return Section(
        "learning",
        "Learning curves",
        (_stops_line(facts.stops, is_on=bool(facts.settings.get("early_stop"))),),
        (picture,),
    )


def _stops_line(found: Stops, *, is_on: bool) -> str:
    if not is_on and not found.num_stopped:
        return "Early stopping was off: every training went to its end."
    line = "Early stopping was on; no training was stopped."
    if found.num_stopped:
        were = "training was" if found.num_stopped == 1 else "trainings were"
        saved = f"{100 * found.saved:.1f} % of the epochs"
        line = f"{found.num_stopped} {were} stopped early, which saved {saved}."
    if not found.num_audits:
        return line
    audits = counted(found.num_audits, "more training")
    return (
        f"{line} To see how often stopping errs, {audits} went on to the end as audits, and "
        f"{found.num_wrong or 'none'} of their networks are on the front."
    )


def _checklist(facts: ReportFacts) -> Section:
    rows = tuple((one.question, one.answer, one.fact) for one in checklist(facts))
    return Section(
        "checklist",
        "A checklist of good practice",
        tables=(Table(("question", "answer", "the fact"), rows),),
        notes=(f"Source: {SOURCE}",),
    )
