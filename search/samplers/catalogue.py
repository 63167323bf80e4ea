"""Every placement of a search space with its cost, and architectures drawn from them in bulk.

An architecture of the space is one number for each stage: 0 for nothing there, else a placement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import product
from math import prod

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from space import Architecture, Cost, SearchSpace, cost, plain
from studies.estimates.encoding import Encoded, encoded

Rows = NDArray[np.int64]  # architectures x stages
Choices = list[NDArray[np.int64]]  # of each stage


@dataclass(frozen=True)
class Catalogue:
    """The placements of each stage, as numbers; made once for a space."""

    space: SearchSpace

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Return how many choices each stage has, none included."""
        return tuple(1 + len(stage.placements) for stage in self.space.stages)

    def architecture(self, row: Sequence[int]) -> Architecture:
        """Return the architecture of one row."""
        chosen = zip(row, self.space.stages, strict=True)
        return self.space.architecture(
            tuple(stage.placements[number - 1] if number else None for number, stage in chosen)
        )

    def within(self, limits: Mapping[str, int]) -> Choices:
        """Return, for each stage, the choices that alone keep within the limits."""
        least = cost(plain(self.space.backbone))
        fits = [np.ones(size, dtype=bool) for size in self.sizes]
        for name, most in limits.items():
            for stage, added in zip(fits, self._added[name], strict=True):
                stage &= least[name] + added <= most
        return [np.flatnonzero(one) for one in fits]

    def random(self, count: int, rng: Generator, choices: Choices | None = None) -> Rows:
        """Return rows in which every mechanism, and none, is as likely in a stage.

        All rows, instead, where there are no more than `count`.
        """
        among = choices or self.within({})
        if prod(len(one) for one in among) <= count:
            return np.array(list(product(*among)), dtype=np.int64)
        columns = [
            one[_drawn(kinds[one], count, rng)]
            for one, kinds in zip(among, self._kinds, strict=True)
        ]
        return np.stack(columns, axis=1)

    def neighbours(
        self, row: Sequence[int], count: int, rng: Generator, choices: Choices | None = None
    ) -> Rows:
        """Return rows that differ from this one in one stage."""
        drawn = self.random(count, rng, choices)
        found = np.tile(np.array(row, dtype=np.int64), (len(drawn), 1))
        stages = rng.integers(len(self.sizes), size=len(drawn))
        found[np.arange(len(drawn)), stages] = drawn[np.arange(len(drawn)), stages]
        return found

    def row(self, architecture: Architecture) -> tuple[int, ...] | None:
        """Return the row of an architecture, however spelled; None if the space lacks it."""
        found = [
            known.get(stage.network(placements[0])) if placements else 0
            for stage, known, placements in zip(
                self.space.stages, self._numbers, architecture.stages, strict=True
            )
        ]
        return None if None in found else tuple(one or 0 for one in found)

    def encoded(self, rows: Rows) -> Encoded:
        """Return the rows as the posterior reads them."""
        parts = [one[rows[:, stage]] for stage, one in enumerate(self._encoded)]
        names = [field.name for field in fields(Encoded)]
        return Encoded(*(np.concatenate([getattr(p, one) for p in parts], 1) for one in names))

    def costs(self, rows: Rows) -> dict[str, NDArray[np.int64]]:
        """Return MACs and parameters of the rows, exactly."""
        least = cost(plain(self.space.backbone))
        found = {}
        for name, added in self._added.items():
            parts = [one[rows[:, stage]] for stage, one in enumerate(added)]
            found[name] = least[name] + np.sum(parts, axis=0)
        return found

    @cached_property
    def _kinds(self) -> list[NDArray[np.int64]]:
        return [one.kinds_NS[:, 0] for one in self._encoded]

    @cached_property
    def _encoded(self) -> list[Encoded]:
        """Return every choice of each stage, with this stage alone."""
        return [self._alone(stage) for stage in range(len(self.sizes))]

    def _alone(self, stage: int) -> Encoded:
        rows = np.zeros((self.sizes[stage], len(self.sizes)), dtype=np.int64)
        rows[:, stage] = np.arange(self.sizes[stage])
        return encoded([self.architecture(row) for row in rows.tolist()]).of_stage(stage)

    @cached_property
    def _added(self) -> dict[str, list[NDArray[np.int64]]]:
        prices = [
            [Cost(0, 0), *(stage.cost(one) for one in stage.placements)]
            for stage in self.space.stages
        ]
        return {
            name: [np.array([one[name] for one in stage]) for stage in prices]
            for name in ("macs", "params")
        }

    @cached_property
    def _numbers(self) -> list[dict[tuple[object, ...], int]]:
        return [
            {stage.network(one): number for number, one in enumerate(stage.placements, start=1)}
            for stage in self.space.stages
        ]


def _drawn(kinds: NDArray[np.int64], count: int, rng: Generator) -> NDArray[np.int64]:
    """Return numbers of choices: a kind first, then one of its placements."""
    order = np.argsort(kinds, kind="stable")
    _, starts, sizes = np.unique(kinds[order], return_index=True, return_counts=True)
    wanted = rng.integers(len(sizes), size=count)
    within = np.floor(rng.random(count) * sizes[wanted]).astype(np.int64)
    drawn: NDArray[np.int64] = order[starts[wanted] + within]
    return drawn
