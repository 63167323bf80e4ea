"""A stored study and its front, for the commands that only read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields

from studies import (
    Attempt,
    Counts,
    Front,
    OpenStudy,
    Stops,
    Summary,
    attempts,
    counts,
    open_existing,
    read_front,
    stop_counts,
    stored_summary,
    summary_of,
    total_times,
)

from .budgets import limits_in_words, limits_of
from .options import in_words
from .reporting import noise_in_words
from .rungs import rungs

MOST_ANEW = 300  # trainings whose front takes a third of a second: a status estimates it anew


def open_front(url: str, name: str, cost: str | None) -> tuple[Front, OpenStudy]:
    """Return the front of a stored study, against its own cost unless another is asked for.

    Raises:
        Refusal: no such database or study.
    """
    study = open_existing(url, name)
    return read_front(study, cost), study


def open_status(url: str, name: str) -> list[str]:
    """Return the lines of `search status`.

    Raises:
        Refusal: no such database or study.
    """
    study = open_existing(url, name)
    counted, settings = counts(study), study.settings
    front = _summary(study, counted)
    lines = [
        f"study {name} in {url}: {settings['backbone']} on {settings['dataset']}, "
        f"{settings['train_images']} images, {settings['epochs']} epochs, cost {settings['cost']}",
        _choices_line(settings),
        *_count_lines(counted, front),
        noise_in_words(front.noise),
        f"verdict: {front.verdict}",
    ]
    num_epochs = int(str(settings["epochs"]))
    if settings.get("early_stop") and rungs(num_epochs):
        lines += _stop_lines(stop_counts(study, front.digests, num_epochs))
    lines += _attempt_lines(attempts(study))
    lines += [f"failed {number} times: {reason}" for reason, number in counted.reasons[:5]]
    return lines


def _summary(study: OpenStudy, counted: Counts) -> Summary:
    """Return what the front says: as it was stored, unless it is soon estimated anew."""
    stored = stored_summary(study)
    is_old = stored is None or stored.num_ended != counted.num_ended
    if stored is None or (is_old and counted.num_ended <= MOST_ANEW):
        return summary_of(read_front(study))
    return stored


def _count_lines(counted: Counts, front: Summary) -> list[str]:
    """Return the trainings by state, and what the front is made of."""
    states = Counter[str]()
    for (purpose, state), number in counted.numbers.items():
        if purpose != "reference":
            states[state] += number
    listed = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    replicates, references = (
        counted.of(purpose=one, state="complete") for one in ("replicate", "reference")
    )
    missing = counted.num_ended - front.num_ended
    since = (
        f"; without the last {missing} trainings: `search front` counts them" if missing else ""
    )
    return [
        f"trainings: {listed or 'none'} (of the complete ones {replicates} are "
        f"replicates); reference networks: {references} complete",
        f"architectures: {front.num_points} trained, {len(front.digests)} on the front{since}",
    ]


def _choices_line(settings: Mapping[str, object]) -> str:
    """Return how the study proposes, within what, and of which weights its accuracies are."""
    averaging, curve_images = settings["averaging"], settings["curve_images"]
    parts = [f"sampler {settings['sampler']}", limits_in_words(limits_of(settings))]
    parts.append(f"averaging {averaging}" if averaging else "no averaging")
    if curve_images:
        parts.append(f"{curve_images} curve images")
    return ", ".join(parts)


def _stop_lines(found: Stops) -> list[str]:
    """Return what early stopping has saved, and how often it would have been wrong."""
    lines = [
        f"early stopping: {found.num_stopped} stopped, {100 * found.saved:.1f} % of the epochs "
        f"saved; audits: {found.num_audits} trained to the end, {found.num_wrong} of them on the "
        "front"
    ]
    if found.wrong is not None:
        share, (low, high) = found.num_wrong / found.num_audits, found.wrong
        lines.append(
            f"wrong stops: {100 * share:.1f} % (95 % interval {100 * low:.1f} to "
            f"{100 * high:.1f} %, from {found.num_audits} audits)"
        )
    return lines


def _attempt_lines(found: tuple[Attempt, ...]) -> list[str]:
    """Return where the workers' time went, and what was trained with half the batch."""
    lines = []
    times = total_times(found)
    parts = {one.name: float(getattr(times, one.name)) for one in fields(times)}
    whole = sum(parts.values())
    if whole:
        shares = (f"{name} {100 * part / whole:.1f} %" for name, part in parts.items())
        spent = ", ".join(shares).replace("start_up", "start-up")
        lines.append(f"time of the workers: {in_words(whole)}: {spent}")
    short = {one.evaluation_id for one in found if one.ending == "out_of_memory"}
    halved = short & {one.evaluation_id for one in found if one.ending == "complete"}
    if short:
        lines.append(
            f"memory ran out for {len(short)}: {len(halved)} trained with half the batch and rate"
        )
    return lines
