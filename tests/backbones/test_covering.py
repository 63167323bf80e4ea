"""Cost, exactly, with each value of each factor beside each value of each other one."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations, product, zip_longest
from typing import Any, get_args

import pytest

from backbones import measure
from space import BACKBONES, MECHANISMS, Architecture, Choice, Placement, cost
from space.place import BLOCKS, POSITIONS
from space.placement import Gain
from tests.space.allowed import allowed_values

Row = dict[str, Any]
Pair = frozenset[tuple[str, Any]]
FAMILIES = ("resnet20", "resnet18", "resnet50", "resnet14w64")  # one of each
THREE_STAGES = ("resnet20", "resnet14w64")
TRIES = 60
PLACE = ("backbone", "stage", "position", "blocks", "gain")


def factors(kind: str) -> dict[str, tuple[Choice, ...]]:
    """Return the place and every hyperparameter, with all values that files may hold."""
    return {
        "backbone": FAMILIES,
        "stage": (1, 2, 3, 4),
        "position": POSITIONS,
        "blocks": BLOCKS,
        "gain": get_args(Gain),
        **allowed_values(kind),
    }


def architecture(kind: str, row: Row) -> Architecture:
    """Return the network with this one placement; a ValueError if there is none."""
    stages: list[tuple[Placement, ...]] = [() for _ in BACKBONES[row["backbone"]].stages]
    if row["stage"] > len(stages):
        raise ValueError("this network has fewer stages")
    stages[row["stage"] - 1] = (placement(kind, row),)
    return Architecture(backbone=row["backbone"], stages=tuple(stages))


def placement(kind: str, row: Row) -> Placement:
    blocks = "last" if row["position"] == "stage_end" else row["blocks"]
    own = {name: value for name, value in row.items() if name not in PLACE}
    return Placement.model_validate(
        {
            "attention": {"kind": kind, **own},
            "position": row["position"],
            "blocks": blocks,
            "gain": row["gain"],
        }
    )


def is_valid(kind: str, row: Row) -> bool:
    try:
        architecture(kind, row)
    except ValueError:
        return False
    return True


def pairs_of(row: Row) -> set[Pair]:
    return {frozenset(pair) for pair in combinations(row.items(), 2)}


def covering(
    choices: dict[str, tuple[Choice, ...]], valid: Callable[[Row], bool], impossible: list[Pair]
) -> Iterator[Row]:
    """Yield rows until every pair of values that some valid row has is in one of them.

    A pair of which no try makes a valid row is named as impossible.
    """
    generator = random.Random(0)
    missing = {
        frozenset(pair)
        for (a, b) in combinations(choices, 2)
        for pair in product(((a, v) for v in choices[a]), ((b, v) for v in choices[b]))
    }
    while missing:
        wanted = min(missing, key=str)
        drawn = (
            {name: generator.choice(values) for name, values in choices.items()} | dict(wanted)
            for _ in range(TRIES)
        )
        best = max(filter(valid, drawn), key=lambda row: len(pairs_of(row) & missing), default={})
        if best:
            yield best
        missing -= pairs_of(best) | {wanted}
        if not best:
            impossible.append(wanted)


def networks() -> list[Architecture]:
    """Return every row, as many in one network as it has stages."""
    queues: dict[tuple[str, int], list[Placement]] = {}
    for kind in MECHANISMS:
        impossible: list[Pair] = []
        for row in covering(factors(kind), partial(is_valid, kind), impossible):
            queues.setdefault((row["backbone"], row["stage"]), []).append(placement(kind, row))
        # A fourth stage where there are three, and nothing else.
        fourth = {frozenset({("stage", 4), ("backbone", name)}) for name in THREE_STAGES}
        assert set(impossible) == fourth, kind
    found = []
    for name in FAMILIES:
        numbers = range(1, len(BACKBONES[name].stages) + 1)
        for together in zip_longest(*(queues[name, number] for number in numbers)):
            stages = tuple((one,) if one else () for one in together)
            found.append(Architecture(backbone=name, stages=stages))
    return found


def test_a_covering_has_every_pair_that_is_possible() -> None:
    choices: dict[str, tuple[Choice, ...]] = {"a": (1, 2, 3), "b": (1, 2), "c": (True, False)}

    def valid(row: Row) -> bool:
        return not (row["a"] == 1 and row["b"] == 1)

    impossible: list[Pair] = []
    rows = list(covering(choices, valid, impossible))
    assert impossible == [frozenset({("a", 1), ("b", 1)})]
    assert all(map(valid, rows))
    covered = set().union(*map(pairs_of, rows))
    assert len(covered) == 3 * 2 + 3 * 2 + 2 * 2 - 1
    assert len(rows) < 3 * 2 * 2


@pytest.mark.slow
def test_every_pair_of_values_costs_what_was_said() -> None:
    found = networks()
    assert 100 < len(found) <= 600
    for one in found:
        measured, expected = measure(one), cost(one)
        counts = (measured.macs, measured.params)
        assert counts == (expected.macs, expected.params), one.to_json()
