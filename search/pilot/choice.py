"""Which protocol a pilot recommends, and how long a study with it takes."""

from collections.abc import Sequence
from statistics import mean

from ..config import Protocol
from .facts import Row, Size
from .lines import Finished
from .plan import Pace, seconds_of

ENOUGH = 1.0  # between² / seed²: one training tells as much as it errs
FEW = 0.1  # of the variance of two trainings' difference may come from leaving images out


def best(found: Sequence[Row]) -> Row:
    """Return the row that buys most a second, among those that surely see enough.

    Where none does, the longest: what was measured then says nothing for a shorter one.
    """
    enough = [one for one in found if sees_enough(one)]
    if enough:
        return max(enough, key=lambda one: one.efficiency)
    return max(found, key=lambda one: (one.epochs * one.train_images, one.components.signal))


def sees_enough(row: Row) -> bool:
    """Say whether single trainings tell as much as they err, and networks differ at all (95 %)."""
    return row.components.signal >= ENOUGH and row.components.between.low > 0


def curve_images(found: Sequence[Size]) -> int | None:
    """Return the fewest images that add little; None for all."""
    number = next(one.num_images for one in found if one.share <= FEW)
    return None if number == found[-1].num_images else number


def chosen_protocol(base: Protocol, row: Row, found: Sequence[Size]) -> Protocol:
    """Return the protocol of the row, with the fewest images of early epochs that do."""
    return base.model_copy(
        update={
            "epochs": row.epochs,
            "train_images": row.train_images,
            "averaging": base.averaging if row.averaged else 0.0,
            "curve_images": curve_images(found),
        }
    )


def study_seconds(
    protocol: Protocol, pace: Pace, finished: Sequence[Finished], num_trainings: int
) -> float:
    """Return the time of so many trainings of networks like these, at the pace they really had."""
    each = mean(seconds_of(protocol, speed) for speed in pace.images_per_second.values())
    delay = mean(one.delay for one in finished)
    return num_trainings * each * delay / pace.num_workers
