"""Budgets of a study: the most MACs and parameters that a proposal may have."""

import re
from collections.abc import Mapping
from fractions import Fraction
from math import floor

from space import (
    Cost,
    Refusal,
    SearchSpace,
    baselines,
    cost,
    count_in_words,
    plain,
    share_in_words,
)

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
NUMBER = re.compile(r"(\d{1,15}(?:\.\d{1,15})?) ?([kmgx]?)", re.IGNORECASE | re.ASCII)
OPTIONS = {"macs": "--max-macs", "params": "--max-params"}


def budget(text: str, name: str, least: Cost) -> int:
    """Return the most of a cost that `45M`, `400k`, `45000000` or `1.1x` allow.

    `x` counts in plain networks; what is no whole number is rounded down.

    Raises:
        Refusal: it is none of these, or below the plain network.
    """
    found = NUMBER.fullmatch(text)
    if found is None:
        raise Refusal(
            f"{OPTIONS[name]} must be a number such as 45M, 400k or 1.1x (of the plain network), "
            f"got {text or repr(text)}"
        )
    number, unit = Fraction(found[1]), found[2].lower()
    most = floor(number * (least[name] if unit == "x" else UNITS[unit]))
    if most < least[name]:
        raise Refusal(
            f"{OPTIONS[name]} must be at least the plain network's {least[name]} "
            f"({count_in_words(least[name])}), got {text}; "
            "no placement costs less: raise it, or choose a smaller --backbone"
        )
    return most


def with_budgets(given: Mapping[str, object], backbone: str) -> dict[str, object]:
    """Return the given settings with the budgets that are texts as counts.

    Raises:
        Refusal: one cannot be read, or is below the plain network.
    """
    own, found = cost(plain(backbone)), dict(given)
    for name in OPTIONS:
        text = given.get(f"max_{name}")
        if isinstance(text, str):
            found[f"max_{name}"] = budget(text, name, own)
    return found


def limits_of(settings: Mapping[str, object]) -> dict[str, int]:
    """Return the budgets among a study's settings, by the cost they limit."""
    both = {name: settings[f"max_{name}"] for name in OPTIONS}
    return {name: most for name, most in both.items() if isinstance(most, int)}


def excesses(price: Cost, limits: Mapping[str, int]) -> dict[str, float]:
    """Return, for each limit, how far the cost lies above it as a share; at most 0 is allowed."""
    return {name: price[name] / most - 1 for name, most in limits.items()}


def reason_over(price: Cost, limits: Mapping[str, int]) -> str | None:
    """Return why the cost is over a limit, or None."""
    over = [
        f"{count_in_words(price[name])} {name} are over the limit of {count_in_words(most)} "
        f"({share_in_words(price[name], most)})"
        for name, most in limits.items()
        if price[name] > most
    ]
    return "; ".join(over) or None


def num_baselines_over(search_space: SearchSpace, limits: Mapping[str, int]) -> int:
    """Return how many of the space's baselines the limits leave out."""
    usual = baselines(search_space).values() if limits else ()
    return sum(reason_over(cost(one), limits) is not None for one in usual)


def limits_in_words(limits: Mapping[str, int]) -> str:
    """Return, say, `at most 45 M macs and 400 k params`."""
    parts = (f"{count_in_words(most)} {name}" for name, most in limits.items())
    return f"at most {' and '.join(parts)}" if limits else "no limit of cost"
