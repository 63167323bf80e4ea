"""What to train beside an architecture to see what each of its placements does, and the result.

Each placement is taken out, and each is moved to every stage that is empty and where it can be
built: into a stage that holds something it would not be the same change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from scipy.special import stdtrit

from space import Architecture, Placement, digest, placements_in_words
from space.slot import reason_invalid

from ..front import Front
from ..paired import Difference, paired_difference

Stages = tuple[tuple[Placement, ...], ...]


@dataclass(frozen=True, slots=True)
class Ablation:
    """A change of an architecture in words, and what it leads to."""

    what: str
    architecture: Architecture


@dataclass(frozen=True, slots=True)
class Ablated:
    """What an architecture has over one of its ablations: above 0 the change does harm.

    Shares of validation images, 0 to 1; with 95 % the intervals of all changes hold together.
    """

    what: str
    difference: Difference
    low: float
    high: float
    num_runs: int
    num_ablated_runs: int


def ablations(architecture: Architecture) -> tuple[Ablation, ...]:
    """Return every different network that the changes lead to, none of them the same again."""
    found: dict[str, Ablation] = {}
    for what, stages in _changes(architecture):
        if reason_invalid(architecture.plain_backbone(), stages) is None:
            changed = Architecture.model_validate({**_head(architecture), "stages": stages})
            found.setdefault(digest(changed), Ablation(what, changed))
    found.pop(digest(architecture), None)
    return tuple(found.values())


def ablated(
    what: str, runs: Sequence[bytes], ablated_runs: Sequence[bytes], front: Front, num_changes: int
) -> Ablated:
    """Compare the runs of an architecture with those of its ablation, image by image.

    Both as correctness bits of the front's validation images; the noise is the front's study's,
    pooled over all that it trained twice. The interval is Bonferroni's for `num_changes`.
    """
    found = paired_difference(runs, ablated_runs, front.noise, front.flips)
    freedom = found.degrees_of_freedom
    quantile = float(stdtrit(freedom, 1 - 0.025 / num_changes))
    width = quantile * found.standard_error if freedom else inf
    counts = len(runs), len(ablated_runs)
    return Ablated(what, found, found.mean - width, found.mean + width, *counts)


def _changes(architecture: Architecture) -> Iterator[tuple[str, Stages]]:
    """Yield each change in words with the stages it leaves: first what is taken out."""
    stages = architecture.stages
    each = [(n, order) for n, placements in enumerate(stages) for order in range(len(placements))]
    for n, order in each:
        yield f"without {_in_words(architecture, n, order)}", _without(stages, n, order)
    for n, order in each:
        moved, rest = (stages[n][order],), _without(stages, n, order)
        for other in (k for k, placements in enumerate(stages) if not placements):
            what = f"{_in_words(architecture, n, order)} moved to stage {other + 1}"
            yield what, (*rest[:other], moved, *rest[other + 1 :])


def _without(stages: Stages, n: int, order: int) -> Stages:
    rest = (*stages[n][:order], *stages[n][order + 1 :])
    return (*stages[:n], rest, *stages[n + 1 :])


def _in_words(architecture: Architecture, n: int, order: int) -> str:
    """Return one placement as `se r16 in stage 2`."""
    own = architecture.stages
    alone = tuple((own[n][order],) if k == n else () for k in range(len(own)))
    data = {**_head(architecture), "stages": alone}
    return placements_in_words(Architecture.model_validate(data))


def _head(architecture: Architecture) -> dict[str, object]:
    return {"backbone": architecture.backbone, "num_classes": architecture.num_classes}
