"""A word in time: the trainings of a study differ more by luck than by their networks."""

from studies import Front, components_of

from .config import StudyConfig

MIN_TRAININGS = 9  # plain three times and six others
MIN_NETWORKS = 7


def noise_warning(front: Front, config: StudyConfig) -> str | None:
    """Return one line if the networks so far differ no more than the noise; None otherwise.

    None, too, before there are enough trainings to say so.
    """
    if front.noise is None or front.num_trainings < MIN_TRAININGS:
        return None
    counts = [one.estimate.num_evaluations for one in front.points]
    means = [one.estimate.raw_mean for one in front.points]
    found = components_of(counts, means, front.noise.sd**2)
    if found is None or len(means) < MIN_NETWORKS or found.between.sd > found.seed.sd:
        return None
    return (
        f"warning: trainings of one network differ by {100 * found.seed.sd:.2f} points from seed "
        f"to seed, networks by {100 * found.between.sd:.2f}: single trainings tell little; longer "
        f"ones or more images see more (`{_advice(config)}` finds a protocol)"
    )


def _advice(config: StudyConfig) -> str:
    """Return the pilot of this study's networks and images."""
    own = f"--backbone {config.backbone} --dataset {config.protocol.dataset}"
    return f"search pilot --budget 30m {own}"
