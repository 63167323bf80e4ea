"""A word in time: the trainings of a study differ more by luck than by their networks."""

from studies import Front, components_of

MIN_TRAININGS = 9  # plain three times and six others
MIN_NETWORKS = 7


def noise_warning(front: Front) -> str | None:
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
        "ones or more images see more (`search pilot --budget 10m` finds a protocol)"
    )
