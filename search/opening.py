"""The line with which a run begins: what it searches and how long it will take."""

from space import cost_range, count_in_words, share_in_words
from studies import Evaluation

from .config import StudyConfig
from .forecast import Speed, forecast_seconds
from .options import in_words
from .plan import Plan

LONG_SECONDS = 2 * 3600  # a forecast beyond this names ways to shorten it, on a CPU


def opening_line(plan: Plan, speed: Speed | None, known: tuple[Evaluation, ...]) -> str:
    """Return what is searched, or how far that is, and how long the run will take.

    The size of the space takes a moment: a study that goes on has told it and begins sooner.
    """
    config = plan.config
    size = _done_in_words(plan, known) if known else _size_in_words(config)
    if speed is None:
        return f"{size}; no forecast: the speed could not be measured"
    seconds = forecast_seconds(config, speed, plan.limits.num_trials, known)
    if not seconds:
        return size
    line = (
        f"{size}; about {in_words(seconds)} to {plan.limits.num_trials} trainings at "
        f"{speed.images_per_second:,.0f} images/s on each of {speed.num_workers} workers"
    )
    if seconds > LONG_SECONDS and plan.device == "cpu" and plan.limits.max_seconds is None:
        line += "; long on a CPU: --max-time 2h, --train-images 10000 or --epochs 3 shorten it"
    return line


def _done_in_words(plan: Plan, known: tuple[Evaluation, ...]) -> str:
    done = sum(one.counts for one in known)
    return f"{plan.config.backbone} goes on with {done} of {plan.limits.num_trials} trainings done"


def _size_in_words(config: StudyConfig) -> str:
    """Return how many architectures there are and what those within the budget cost."""
    least, most = (one[config.cost] for one in cost_range(config.search_space))
    most = min(most, config.limits.get(config.cost, most))
    within = "of which those within the budget " if config.limits else ""
    return (
        f"{config.search_space.size():,} architectures of {config.backbone}, {within}"
        f"{count_in_words(least)} to {count_in_words(most)} {config.cost} "
        f"({share_in_words(most, least)})"
    )
