"""Which neighbours on a front can be told apart, by two kinds of evidence."""

from dataclasses import dataclass
from itertools import pairwise
from math import nan

from .front import CONFIDENCE, Front, Point, difference
from .paired import Difference


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Two rows of a front, counted from 1, and how sure it is that the dearer one is better."""

    cheaper: int
    dearer: int
    probability: float  # by the joint posterior of all evaluations
    paired: Difference  # of their own runs, image by image

    @property
    def are_told_apart(self) -> bool:
        """Say whether both kinds of evidence tell them apart."""
        return self.probability > CONFIDENCE and not self.paired.includes_zero


def neighbours(front: Front) -> tuple[Neighbours, ...]:
    """Return what is known of each row and the next, cheapest first."""
    return tuple(
        Neighbours(
            number, number + 1, _probability(front, one, other), difference(front, other, one)
        )
        for number, (one, other) in enumerate(pairwise(front.rows), start=1)
    )


def _probability(front: Front, one: Point, other: Point) -> float:
    """Return the probability that the other's true accuracy is above the one's."""
    if front.posterior is None:
        return nan
    keys = front.posterior.keys
    return float(front.posterior.observed(keys.index(one.digest)).better[keys.index(other.digest)])
