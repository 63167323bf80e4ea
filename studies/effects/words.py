"""What can and cannot be concluded from the effects, in plain words."""

from collections.abc import Sequence

from ..front import Front
from .by_stage import Cell, Effect, Effects, distinguishable
from .importance import Importance

SURE = 0.95  # probability from which on something is said to be so
MOST_NAMED = 5


def conclusion(front: Front, effects: Effects, ranked: Sequence[Importance], protocol: str) -> str:
    """Return the paragraph; `protocol` says how long, on what and in which network."""
    sentences = [_tried(effects), *_claims(effects), *_ranking(ranked), *_noise(front)]
    return " ".join(
        [
            *sentences,
            f"All this is of {protocol}; longer trainings, other images and other networks may "
            "differ.",
            "Effects are a model's estimates: what was seen of a mechanism counts for its other "
            "settings, places and stages, too, so what it does in one stage only looks smaller "
            "than it is.",
        ]
    )


def counted(number: int, noun: str) -> str:
    """Return `no effects`, `1 effect` or `2 effects`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def name(cell: Cell) -> str:
    """Return `se in stage 2`."""
    return f"{cell.kind} in stage {cell.stage}"


def in_points(value: float, error: float) -> str:
    """Return `+0.41 ± 0.12`; zero has a plus."""
    return f"{round(100 * value, 2) + 0.0:+.2f} ± {100 * error:.2f}"


def _tried(effects: Effects) -> str:
    if not effects.known:
        return "No training with attention has ended yet, so nothing is known of any mechanism."
    were = "was" if len(effects.known) == 1 else "were"
    start = f"{counted(len(effects.known), 'pair')} of a mechanism and a stage {were} trained"
    num = len(effects.untried)
    if not num:
        return f"{start}, and there are no others."
    named = f": {_listed([name(cell) for cell in effects.untried])}" if num <= MOST_NAMED else ""
    return f"{start}; of {num} other{'' if num == 1 else 's'} nothing is known{named}."


def _claims(effects: Effects) -> list[str]:
    """Return what differs from zero: all effects judged together, and each one alone."""
    if not effects.known:
        return []
    sure = distinguishable(effects)
    num = len(effects.known)
    everyone = "both" if num == 2 else f"all {num}"
    together = f", {everyone} judged together (Holm's correction, 5 %)" if num > 1 else ""
    verb = "differs" if len(sure) == 1 else "differ"
    claim = f"{counted(len(sure), 'effect').capitalize()} {verb} from zero for sure{together}"
    alone = sum(not one.includes_zero for one in effects.known if one not in sure)
    sentences = [f"{claim}{_named(sure)}."]
    if alone:
        more = f"{alone} more" if sure else str(alone)
        do = "does" if alone == 1 else "do"
        sentences.append(f"{more} {do} so only if judged alone, as 1 in 20 would by chance.")
    return sentences


def _named(sure: Sequence[Effect]) -> str:
    """Return the effects after a colon, the largest first; nothing of none."""
    words = [f"{name(one.cell)} {in_points(one.mean, one.standard_error)} points" for one in sure]
    rest = len(words) - MOST_NAMED
    shown = words if rest <= 1 else [*words[:MOST_NAMED], f"{rest} smaller ones"]
    return f": {_listed(shown)}" if words else ""


def _ranking(ranked: Sequence[Importance]) -> list[str]:
    """Return which stage's choice matters most, if that can be said; nothing of a single one."""
    if len(ranked) < 2:
        return []
    top = max(ranked, key=lambda one: one.probability_first)
    chance = f"(probability {top.probability_first:.2f})"
    if top.probability_first < SURE:
        return [f"Which choice matters most is open; {top.parameter} is the likeliest {chance}."]
    return [f"Of the choices {top.parameter} matters most for accuracy {chance}."]


def _noise(front: Front) -> list[str]:
    if front.noise is None:
        return []
    sd, resolution = 100 * front.noise.sd, 100 * front.noise.resolution
    freedom = counted(front.noise.degrees_of_freedom, "degree")
    return [
        f"The run-to-run sd is {sd:.2f} points ({freedom} of freedom); two single trainings "
        f"closer than {resolution:.2f} cannot be told apart."
    ]


def _listed(words: Sequence[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
