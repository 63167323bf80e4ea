"""Where a study's numbers come from: protocol, data, trainings, machines, versions, commands."""

from collections.abc import Mapping
from dataclasses import fields

from ..store.sessions import StudySession
from .facts import ReportFacts, Spent
from .parts import Section, Table, hours

PROTOCOL = {
    "epochs": "epochs of one training",
    "batch_size": "batch size",
    "learning_rate": "learning rate at its peak",
    "warmup": "share of the steps before the peak",
    "weight_decay": "weight decay",
    "momentum": "momentum",
    "label_smoothing": "label smoothing",
    "crop_padding": "pixels of padding before the random crop",
    "precision": "precision",
    "averaging": "share of the steps whose weights are averaged",
    "curve_images": "validation images of epochs before the last",
    "recipe": "recipe",
    "protocol_digest": "digest of the protocol",
}
STUDY = {
    "backbone": "backbone",
    "kinds": "mechanisms",
    "cost": "cost",
    "sampler": "sampler",
    "seed": "seed of the search and of the trainings",
    "replicates": "share of replicates",
    "early_stop": "early stopping",
    "audit": "share of audited stops",
    "baselines": "baselines first",
    "references": "plain networks of other depths",
    "space_digest": "digest of the space",
}
NOT_RECORDED = "not recorded"


def provenance(facts: ReportFacts) -> Section:
    """Return everything a reader needs to do it again."""
    tables = [
        Table((), _named(facts.settings, STUDY, {"budgets": facts.words.budgets}), "The study"),
        Table((), _data(facts), "Data and split"),
        Table((), _named(facts.settings, PROTOCOL), "The protocol of every training"),
        Table(("purpose", "state", "trainings"), _states(facts.spent), "Trainings by state"),
        Table((), _spent(facts.spent), "Compute"),
        *_machines(facts.sessions),
    ]
    commands = [(f"as it was run, session {n}", one.surroundings.command)
                for n, one in enumerate(facts.sessions, start=1)]  # fmt: skip
    return Section(
        "provenance",
        "Where the numbers come from",
        tables=tuple(tables),
        commands=(*facts.words.commands.items(), *commands),
    )


def _named(
    settings: Mapping[str, object], names: Mapping[str, str], more: Mapping[str, str] | None = None
) -> tuple[tuple[str, str], ...]:
    """Return each setting by its words; what the study does not hold was not recorded."""
    rows = [(words, _shown(settings.get(name, NOT_RECORDED))) for name, words in names.items()]
    return (*rows, *(more or {}).items())


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "none" if value is None else str(value)


def _data(facts: ReportFacts) -> tuple[tuple[str, str], ...]:
    settings = facts.settings
    seed = settings.get("data_seed", NOT_RECORDED)
    return (
        ("dataset", str(settings["dataset"])),
        ("training images", f"{int(str(settings['train_images'])):,}"),
        ("validation images", f"{facts.words.num_validation:,}, of the training part, balanced"),
        ("test images", facts.openings.in_words()),
        ("seed of the split", str(seed)),
    )


def _states(spent: Spent) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (purpose, state, str(number)) for (purpose, state), number in sorted(spent.states.items())
    )


def _spent(spent: Spent) -> tuple[tuple[str, str], ...]:
    rows = [("the study's trainings, all workers together", hours(spent.seconds))]
    parts = {
        one.name.replace("_", "-"): getattr(spent.times, one.name) for one in fields(spent.times)
    }
    if any(parts.values()):
        shown = ", ".join(f"{name} {hours(seconds)}" for name, seconds in parts.items())
        rows.append(("time of the workers", shown))
    rows += [
        (f"beside the total: {purpose}", f"{number} trainings, {hours(seconds)}")
        for purpose, (number, seconds) in sorted(spent.extras.items())
    ]
    return tuple(rows)


def _machines(found: tuple[StudySession, ...]) -> list[Table]:
    if not found:
        return [Table((), (("machine and versions", NOT_RECORDED),), "Machine")]
    head = ("session", "began (UTC)", "took", "ended by", "machine", "workers", "versions")
    return [Table(head, tuple(_session(n, one) for n, one in enumerate(found, 1)), "Sessions")]


def _session(number: int, one: StudySession) -> tuple[str, ...]:
    own = one.surroundings
    took = "?" if one.ended_at is None else hours((one.ended_at - one.started_at).total_seconds())
    return (
        str(number),
        f"{one.started_at:%Y-%m-%d %H:%M}",
        took,
        one.ending or "no end recorded",
        f"{own.hardware or own.device}, {own.num_cores} cores, {own.system}",
        str(own.num_workers),
        ", ".join(f"{name} {version}" for name, version in own.versions.items()),
    )
