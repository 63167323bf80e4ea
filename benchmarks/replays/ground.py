"""What a replay is played on, and what a method may ask of it: the grid, or a surrogate."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Protocol

from space import Architecture, Choice, Cost, cost_axis
from studies.hypervolume import hypervolume

from ..grid.grid import Run

Choose = Callable[[str, tuple[Choice, ...]], Choice]  # of a parameter's name and its choices


class Network(Protocol):
    """An architecture by the name that methods know it by."""

    @property
    def name(self) -> str:
        """Return its name, which no other network has."""

    @property
    def architecture(self) -> Architecture:
        """Return what is trained."""

    @property
    def digest(self) -> str:
        """Return what it is known by in a study."""

    @property
    def cost(self) -> Cost:
        """Return its exact cost."""

    @property
    def epoch_seconds(self) -> float:
        """Return what an epoch takes."""


class Ground(Protocol):
    """Where all methods search, what they start with, and how their fronts are scored."""

    @property
    def cost_name(self) -> str:
        """Return the cost that counts."""

    @property
    def plain(self) -> Network:
        """Return the network without attention."""

    @property
    def start(self) -> tuple[str, ...]:
        """Return what every method trains first."""

    @property
    def edge(self) -> float:
        """Return where the scored area ends on the cost axis."""

    @property
    def num_epochs(self) -> int:
        """Return how many epochs a whole training has."""

    def network(self, name: str) -> Network:
        """Return the network of a name."""

    def name_of(self, architecture: Architecture) -> str:
        """Return the name of an architecture."""

    def drawn(self, choose: Choose) -> str | None:
        """Return what a chooser draws, or None where that is not proposed."""

    def assignment(self, name: str) -> Mapping[str, Choice]:
        """Return the choices by which a network is drawn."""

    def front(self) -> tuple[str, ...]:
        """Return the true front as far as it is known, cheapest first."""


class Luck(Protocol):
    """What one replay meets: the outcomes of its trainings, and the truth it does not see."""

    @property
    def replay(self) -> int:
        """Return the number of the replay."""

    def draw(self, name: str) -> Run:
        """Return the next training of a network."""

    def truth(self, name: str) -> float:
        """Return the accuracy by which a network is scored."""


def place_of(ground: Ground, name: str) -> float:
    """Return where a network stands on the cost axis."""
    name_of_cost, base = ground.cost_name, ground.plain.cost
    return cost_axis(ground.network(name).cost[name_of_cost], base[name_of_cost])


def area(ground: Ground, accuracies: Mapping[str, float], plain: float) -> float:
    """Return the area that these networks win above plain's accuracy."""
    points = ((place_of(ground, name), one - plain) for name, one in accuracies.items())
    return hypervolume(points, ground.edge)


def trusted_area(
    ground: Ground, claims: Mapping[str, float], truths: Mapping[str, float], plain: float
) -> float:
    """Return the area of who takes, at each cost, the network that is claimed best up to it.

    It is the sum of widths on the cost axis times true gains: what is worse than plain takes away.
    """
    taken = list[tuple[float, str]]()
    for name in sorted(claims, key=lambda name: (place_of(ground, name), -claims[name])):
        if not taken or claims[name] > claims[taken[-1][1]]:
            taken.append((max(place_of(ground, name), 0.0), name))
    starts = [min(place, ground.edge) for place, _ in taken] + [ground.edge]
    widths = (end - start for start, end in pairwise(starts))
    return sum(
        width * (truths[name] - plain) for width, (_, name) in zip(widths, taken, strict=True)
    )
