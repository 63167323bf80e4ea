"""A stored study and its front, for the commands that only read."""

from collections import Counter
from dataclasses import fields

from studies import (
    Attempt,
    Front,
    OpenStudy,
    attempts,
    evaluations,
    front_of,
    open_existing,
    total_times,
    verdict,
)

from .options import in_words
from .reporting import noise_line


def open_front(url: str, name: str, cost: str | None) -> tuple[Front, OpenStudy]:
    """Return the front of a stored study, against its own cost unless another is asked for.

    Raises:
        Refusal: no such database or study.
    """
    study = open_existing(url, name)
    against = cost or str(study.settings["cost"])
    return front_of(evaluations(study), str(study.settings["backbone"]), against), study


def open_status(url: str, name: str) -> list[str]:
    """Return the lines of `search status`.

    Raises:
        Refusal: no such database or study.
    """
    front, study = open_front(url, name, None)
    known = evaluations(study)
    states = Counter(one.state for one in known if one.purpose != "reference")
    purposes = Counter(one.purpose for one in known if one.state == "complete")
    settings = study.settings
    counted = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    lines = [
        f"study {name} in {url}: {settings['backbone']} on {settings['dataset']}, "
        f"{settings['train_images']} images, {settings['epochs']} epochs, cost {settings['cost']}",
        f"trainings: {counted or 'none'} (of the complete ones {purposes['replicate']} are "
        f"replicates); reference networks: {purposes['reference']} complete",
        f"architectures: {len(front.points)} trained, {len(front.rows)} on the front",
        noise_line(front),
        f"verdict: {verdict(front)}",
    ]
    lines += _attempt_lines(attempts(study))
    reasons = Counter(one.reason for one in known if one.state == "failed")
    lines += [f"failed {number} times: {reason}" for reason, number in reasons.most_common(5)]
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
