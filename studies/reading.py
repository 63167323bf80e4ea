"""The front of a stored study, by everything that its trainings say."""

from .estimates.link import forecasts_of
from .front import Front, front_of
from .store.evaluations import curves, evaluations
from .store.storage import OpenStudy


def read_front(study: OpenStudy, cost_name: str | None = None) -> Front:
    """Return the front against the study's own cost, unless another is named."""
    known, settings = evaluations(study), study.settings
    return front_of(
        known,
        str(settings["backbone"]),
        cost_name or str(settings["cost"]),
        forecasts_of(known, curves(study), float(str(settings["audit"]))),
    )
