"""What the page is told by those who opened the study: words, and results of other commands."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..confirmation.stored import Confirmed
from ..effects.map import EffectMap

CONFIRM = "Confirm it"  # the name of that command


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One confirmation and what is said of it; names and short labels of its arms, in order."""

    found: Confirmed
    labels: tuple[str, ...]
    names: tuple[str, ...]
    time_ratios: tuple[float, ...] | None
    verdict: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """What the mechanisms do, as a map and in words, and which of them ended without effect."""

    effects: EffectMap
    conclusion: str
    dead: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """How the study is spoken of, and what the commands that go on with it are."""

    title: str
    protocol: str  # how long, on what, in which network
    budgets: str
    num_validation: int
    below_front: tuple[str, ...]
    commands: Mapping[str, str]  # by what they do
    warning: str = ""
    limits: Mapping[str, int] | None = None
