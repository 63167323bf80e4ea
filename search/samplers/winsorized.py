"""What a proposal learns from: a network far below plain counts as no worse than that."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from studies import Evaluation, completed
from studies.estimates.posterior import Forecast, pooled_noise

FAR = 3.0  # run-to-run deviations below plain: nothing down there is on the front

Forecasts = Mapping[int, Forecast]  # by the evaluation's id, of trainings that were stopped


def winsorized(
    evaluations: Sequence[Evaluation], forecasts: Forecasts | None, plain: str
) -> tuple[Sequence[Evaluation], Forecasts | None]:
    """Return both with the networks that are far below plain, given by digest, at that level.

    A normal model takes the depth of the worst for everyone's spread, and draws the good ones
    down by it. All runs of a network are lifted alike, so the noise between them stays.

    Source: Tukey, The future of data analysis, Annals of Mathematical Statistics 33, 1962, for
    winsorizing. What it is worth here: docs/search-quality.md.
    """
    runs = accuracies_of(evaluations)
    noise = pooled_noise(runs)
    if noise is None or noise.sd == 0 or plain not in runs:
        return evaluations, forecasts
    level = fmean(runs[plain]) - FAR * noise.sd
    lifts = {key: max(0.0, level - fmean(values)) for key, values in runs.items()}
    lifted = [
        one
        if one.accuracy is None
        else replace(one, accuracy=one.accuracy + lifts.get(one.digest, 0.0))
        for one in evaluations
    ]
    raised = {key: _at_least(level, one) for key, one in (forecasts or {}).items()}
    return lifted, raised


def accuracies_of(evaluations: Sequence[Evaluation]) -> dict[str, list[float]]:
    """Return the accuracies of the trainings that ended, by digest."""
    found: dict[str, list[float]] = {}
    for one in completed(evaluations):
        found.setdefault(one.digest, []).append(one.accuracy or 0.0)
    return found


def _at_least(level: float, forecast: Forecast) -> Forecast:
    return replace(forecast, accuracy=max(level, forecast.accuracy))
