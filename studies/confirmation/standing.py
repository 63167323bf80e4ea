"""How far a confirmation is: what is trained, what is left out for good, what was read.

A training that failed in two calls is given up, for its seed and protocol are the same a third
time. Its network goes on with the seeds that ended, if they are two or all it was to have; else it
is left out. Both are settled before the first test image is read: what was trained once is never
given up, and what was given up is not tried again after a reading.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..store.extras import Extra
from .comparison import Confirmation

LEAST = 2  # seeds, below which there is no interval


@dataclass(frozen=True, slots=True)
class Standing:
    """What the trainings of a confirmation allow."""

    models: tuple[Extra, ...]  # whose test images are to be read
    num_missing: int  # trainings that are neither complete nor given up
    left_out: frozenset[str]  # digests of networks with too few seeds
    num_read: int  # models whose test images were read
    lacks_plain: bool  # then nothing can be compared

    @property
    def is_read(self) -> bool:
        """Say whether the test images have shown all that they will show."""
        all_trained = not self.num_missing and not self.lacks_plain
        return all_trained and self.num_read == len(self.models)

    def in_words(self) -> str:
        """Return how far it is, for one that is not read to its end."""
        missing = f"trainings missing: {self.num_missing}; " if self.num_missing else ""
        return f"{missing}models read: {self.num_read} of {len(self.models)} that are trained"


def standing(plan: Confirmation, found: Sequence[Extra], read: Collection[int]) -> Standing:
    """Return it for the trainings that were found, and the ids of those that were read."""
    left_out = set()
    for arm in plan.arms:
        own = [one for one in found if one.digest == arm.digest]
        ended = sum(one.accuracy is not None for one in own)  # weights may be lost since
        if any(one.is_given_up for one in own) and ended < LEAST:
            left_out.add(arm.digest)
    complete = [one for one in found if one.state == "complete"]
    models = tuple(one for one in complete if one.digest not in left_out)
    return Standing(
        models,
        sum(one.state != "complete" and not one.is_given_up for one in found),
        frozenset(left_out),
        sum(one.id in read for one in models),
        plan.arms[0].digest in left_out,
    )
