"""Who is confirmed, beside which controls, with which seeds."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from space import (
    Architecture,
    Refusal,
    baselines,
    cost,
    cost_axis,
    digest,
    plain,
    random_architecture,
    references,
)
from studies import Front, Point
from studies.confirmation.comparison import Arm, Claim, Confirmation, Role
from studies.front import recommended
from studies.hypervolume import hypervolume

from ..budgets import reason_over
from ..config import NUM_TRAIN, NUM_VALIDATION, Protocol, StudyConfig
from ..samplers.objective import objective_of
from ..seeds import derived_seed

PLAIN_FACTOR = 3  # plain has so many times the seeds: every gain is over it
LONGER = 3  # times the study's epochs
DRAWS = 400  # random architectures, of which the nearest in cost is a control


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: how many finalists, with how many seeds, and how long they train."""

    top: int
    num_seeds: int
    epochs: int | None = None  # by default three times the study's
    num_images: int | None = None  # of training and validation; by default all of the study's


def confirmation_of(front: Front, config: StudyConfig, question: Question) -> Confirmation:
    """Return the plan for these finalists and their controls.

    Raises:
        Refusal: the study has no front beside plain yet, or a number is out of range.
    """
    protocol = confirm_protocol(config.protocol, question)
    chosen = finalists(front, config, question.top)
    people: list[tuple[Role, Architecture, Point | None]] = [
        ("plain", plain(config.backbone), front.plain),
        *(("finalist", one.architecture, one) for one in chosen),
        *_controls(front, config, chosen),
    ]
    seeds = range(question.num_seeds)
    arms = [
        Arm(
            role=role,
            architecture=one,
            seeds=_seeds(
                config, one, question.num_seeds * (PLAIN_FACTOR if role == "plain" else 1)
            ),
            claim=None if point is None else _claim(point),
        )
        for role, one, point in people
    ]
    return Confirmation(
        epochs=protocol.epochs,
        num_images=protocol.train_images + NUM_VALIDATION[protocol.dataset],
        protocol_digest=protocol.digest(),
        own_digest=config.protocol.digest(),
        fresh_seeds=tuple(derived_seed(config.seed, "fresh", index) for index in seeds),
        arms=tuple(arms),
        noise_sd=None if front.noise is None else front.noise.sd,
        noise_freedom=None if front.noise is None else front.noise.degrees_of_freedom,
    )


def confirm_protocol(own: Protocol, question: Question) -> Protocol:
    """Return the protocol of the confirmation, whose images are those beside the validation's.

    Raises:
        Refusal: the number of images or of epochs is out of range.
    """
    held_out = NUM_VALIDATION[own.dataset]
    most = NUM_TRAIN[own.dataset] + held_out
    total = question.num_images if question.num_images is not None else own.train_images + held_out
    if not held_out + 10 <= total <= most:
        raise Refusal(
            f"--train-images must be {held_out + 10} to {most}, since the {held_out} validation "
            f"images are among them, got {total}"
        )
    epochs = LONGER * own.epochs if question.epochs is None else question.epochs
    if epochs < 1:
        raise Refusal(
            f"--epochs must be at least 1, got {epochs}; leave it out for {LONGER * own.epochs}"
        )
    few = min(held_out, 500)  # validated in between: they are trained on, and say nothing
    changes = {"epochs": epochs, "train_images": total - held_out, "curve_images": few}
    return own.model_copy(update=changes)


def finalists(front: Front, config: StudyConfig, top: int) -> tuple[Point, ...]:
    """Return the recommended row, then those that the front would lose most area without.

    Raises:
        Refusal: nothing but plain is on the front.
    """
    rows = [one for one in front.rows if not one.architecture.is_plain]
    if not rows:
        raise Refusal(
            "the front holds nothing beside the plain network, so there is nothing to confirm; "
            "go on with `search run`"
        )
    first = recommended(front)
    area = _contributions(front, config, rows)
    ordered = sorted(rows, key=lambda one: (one is not first, -area[one.digest]))
    return tuple(ordered[:top])


def _contributions(front: Front, config: StudyConfig, rows: Sequence[Point]) -> dict[str, float]:
    """Return the area above plain that is lost without each row."""
    name, least = front.cost_name, front.plain_cost[front.cost_name]
    edge = objective_of(config.search_space, name, config.limits).edge
    places = {
        one.digest: (
            cost_axis(one.cost[name], least),
            0.0 if isnan(one.estimate.gain) else one.estimate.gain,
        )
        for one in rows
    }
    whole = hypervolume(places.values(), edge)
    return {
        key: whole - hypervolume([at for other, at in places.items() if other != key], edge)
        for key in places
    }


def _controls(
    front: Front, config: StudyConfig, chosen: Sequence[Point]
) -> list[tuple[Role, Architecture, Point | None]]:
    """Return the best uniform placement, a random one of the first finalist's cost, more depth."""
    taken = {one.digest for one in chosen}
    known = {one.digest: one for one in front.points}
    usual = {digest(one) for one in baselines(config.search_space).values()} - taken
    uniform = [known[key] for key in usual if key in known]
    found: list[tuple[Role, Architecture, Point | None]] = []
    if uniform:
        best = max(uniform, key=lambda one: (one.estimate.accuracy, -one.trial))
        found.append(("uniform", best.architecture, best))
        taken.add(best.digest)
    drawn = _random_of_cost(config, chosen[0].cost[front.cost_name], front.cost_name, taken)
    if drawn is not None:
        found.append(("random", drawn, known.get(digest(drawn))))
    least = cost(plain(config.backbone)).macs
    deeper = [one for one in references(config.backbone) if cost(plain(one.name)).macs > least]
    if deeper:
        found.append(("deeper", plain(deeper[0].name), None))
    return found


def _random_of_cost(
    config: StudyConfig, wanted: int, cost_name: str, taken: set[str]
) -> Architecture | None:
    """Return the random architecture that is nearest in cost, within the budgets."""
    least = cost(plain(config.backbone))[cost_name]
    generator = random.Random(derived_seed(config.seed, "confirm", "random"))
    drawn = [random_architecture(generator, config.search_space) for _ in range(DRAWS)]
    fitting = [
        one
        for one in drawn
        if not one.is_plain
        and digest(one) not in taken
        and reason_over(cost(one), config.limits) is None
    ]
    place = cost_axis(wanted, least)
    return min(
        fitting,
        key=lambda one: abs(cost_axis(cost(one)[cost_name], least) - place),
        default=None,
    )


def _seeds(config: StudyConfig, architecture: Architecture, count: int) -> tuple[int, ...]:
    key = digest(architecture)
    return tuple(derived_seed(config.seed, "confirm", f"{key}/{index}") for index in range(count))


def _claim(point: Point) -> Claim:
    known = point.estimate

    def number(value: float) -> float | None:
        return None if isnan(value) else value

    return Claim(
        accuracy=known.accuracy,
        standard_error=number(known.standard_error),
        gain=number(known.gain),
        gain_error=number(known.gain_error),
        num_evaluations=known.num_evaluations,
    )


def num_arms_over_plain(front: Front, config: StudyConfig, top: int) -> int:
    """Return how many networks would be compared with plain."""
    chosen = finalists(front, config, top)
    return len(chosen) + len(_controls(front, config, chosen))
