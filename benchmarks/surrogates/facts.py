"""What stands beside the scores: where the truths come from, and what there is to win."""

from typing import Any

from ..replays.comparison import Comparison
from ..replays.ground import area
from .forest import Forest
from .whole_space import LEVEL, NOISE, WholeSpace

NOT_SIMULATED = ("by_time", "time", "seconds", "stops")


def truth_facts(forest: Forest) -> dict[str, Any]:
    """Return what the forest is fitted to, and how much of that it explains out of bag."""
    sources = [one.source for _, one in forest.fitted]
    return {
        "networks": {name: sources.count(name) for name in sorted({*sources})},
        "out_of_bag_r2": {name: round(one, 3) for name, one in forest.explained().items()},
        "fingerprint": forest.fingerprint(),
        "plain": LEVEL,
        "noise": NOISE,
    }


def truth_in_words(facts: dict[str, Any]) -> str:
    """Return them in one line."""
    fitted = ", ".join(f"{count} of the {name}" for name, count in facts["networks"].items())
    known = ", ".join(f"{one:.2f} ({name})" for name, one in facts["out_of_bag_r2"].items())
    return f"truth: a random forest of {fitted}; out-of-bag R² {known}"


def panel_facts(found: Comparison, ground: WholeSpace, ratio: float) -> dict[str, Any]:
    """Return the comparison at one ratio with what there is to win; times are not simulated."""
    truths = {name: ground.network(name).accuracy for name in ground.front()}
    compared = {name: value for name, value in found.facts().items() if name not in NOT_SIMULATED}
    for part in ("rows", "ratios"):
        compared[part] = [
            {name: value for name, value in one.items() if name not in NOT_SIMULATED}
            for one in compared[part]
        ]
    return {
        "ratio": ratio,
        "reachable": 100 * area(ground, truths, LEVEL),
        "edge": ground.edge,
        "num_start": len(ground.start),
        "front": [ground.in_words(name) for name in ground.front()],
        **compared,
    }
