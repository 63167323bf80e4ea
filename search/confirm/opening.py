"""What a confirmation will cost and what it can tell, said before anything is trained."""

from dataclasses import replace

from space import Refusal
from studies import Front, evaluations
from studies.confirmation.comparison import (
    MOST_SEEDS,
    POWER,
    Confirmation,
    Role,
    resolution,
    sd_interval,
    seeds_to_resolve,
)
from studies.confirmation.stored import known_trainings
from studies.estimates.posterior import Noise
from studies.store.sessions import sessions

from ..config import StudyConfig
from ..extra_trainings import Task
from ..forecast import remembered_speed
from ..options import in_words
from .choice import PLAIN_FACTOR, Question, num_arms_over_plain
from .session import Bench, tasks_of, work_seconds

WITHOUT_YES = 3600.0  # seconds that a confirmation may take unasked


def resolved(front: Front, config: StudyConfig, question: Question, points: float) -> Question:
    """Return the question with as many seeds as tell a gain of so many points from none.

    Raises:
        Refusal: the study's noise is unknown, or it would take too many.
    """
    if front.noise is None:
        raise Refusal(
            f"--resolve needs the study's noise, which is not measured yet, got {points}; "
            "say --seeds instead"
        )
    number = num_arms_over_plain(front, config, question.top)
    seeds = seeds_to_resolve(points / 100, front.noise.sd, number, PLAIN_FACTOR)
    if seeds is None:
        least = 100 * resolution(front.noise.sd, MOST_SEEDS, PLAIN_FACTOR * MOST_SEEDS, number)
        raise Refusal(
            f"--resolve must be at least {least:.2f} points, what {MOST_SEEDS} seeds show with "
            f"{100 * POWER:.0f} % power, got {points}; ask for more points, or a smaller --top"
        )
    return replace(question, num_seeds=seeds)


def opening_lines(
    front: Front, bench: Bench, question: Question, plan: Confirmation
) -> tuple[list[str], float | None]:
    """Return what is going to be done, and its forecast in seconds if a speed is stored."""
    tasks = tasks_of(bench, question, known_trainings(bench.study, plan))
    waiting = [one for one in tasks if one.extra.state != "complete"]
    seconds = forecast(bench, waiting)
    finalists = len(plan.finalists)
    lines = [
        f"{finalists} finalist{'' if finalists == 1 else 's'} and {len(plan.arms) - finalists} "
        f"controls, {question.num_seeds} seeds each and {len(plan.arms[0].seeds)} of plain: "
        f"{len(tasks)} trainings, {len(tasks) - len(waiting)} done before"
    ]
    if front.noise is not None:
        lines.append(_resolution_line(front.noise, plan))
    lines += _absent({one.role for one in plan.arms})
    if waiting:
        how_long = (
            "unknown, no speed of this device is stored" if seconds is None else in_words(seconds)
        )
        lines.append(f"forecast: {how_long} on {len(bench.environments)} workers")
    return lines, seconds if waiting else 0.0


def _resolution_line(noise: Noise, plan: Confirmation) -> str:
    """Say which gain it can show, and how far that is known: the noise rests on few replicates."""
    seeds, plain_seeds = (len(arm.seeds) for arm in (plan.arms[1], plan.arms[0]))
    least, low, high = (
        100 * resolution(sd, seeds, plain_seeds, len(plan.arms) - 1)
        for sd in (noise.sd, *sd_interval(noise))
    )
    return (
        f"shows a true gain over plain of {least:.2f} points with {100 * POWER:.0f} % power, if "
        f"these trainings vary like the study's, with a run-to-run sd of {100 * noise.sd:.2f}; "
        f"that has {noise.degrees_of_freedom} degrees of freedom: {low:.2f} to {high:.2f} points"
    )


def _absent(roles: set[Role]) -> list[str]:
    """Say which controls there are none of, and why."""
    reasons: dict[Role, str] = {
        "uniform": "no uniform placement: the study trained none that is no finalist",
        "random": "no random placement: none within the budgets was drawn",
        "deeper": "no deeper plain network: the backbone is the largest of its kind",
    }
    return [f"control left out: {why}" for role, why in reasons.items() if role not in roles]


def refuse_long(seconds: float | None, *, yes: bool) -> None:
    """Refuse to begin hours of work unasked.

    Raises:
        Refusal: it takes over an hour, or nobody knows how long, and --yes was not said.
    """
    if yes or (seconds is not None and seconds <= WITHOUT_YES):
        return
    how_long = "an unknown time" if seconds is None else f"about {in_words(seconds)}"
    raise Refusal(
        f"trainings of over {in_words(WITHOUT_YES)} need --yes, got a forecast of "
        f"{how_long}; add it, or ask for fewer --seeds, --top, --epochs or --train-images"
    )


def forecast(bench: Bench, waiting: list[Task]) -> float | None:
    """Return the seconds that these trainings take, if the study has stored a speed for them.

    A speed of another kind of device says nothing.
    """
    if any(one.surroundings.device != bench.device for one in sessions(bench.study)):
        return None
    known = evaluations(bench.study)
    speed = remembered_speed(bench.config, known, len(bench.environments))
    return None if speed is None else work_seconds(bench, waiting, speed)
