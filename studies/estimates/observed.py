"""What the runs of a study say of its networks, in numbers that hold all of it."""

from collections.abc import Mapping, Sequence

import numpy as np

from .rotation import Observed

Worths = dict[str, list[tuple[float, float]]]  # by digest: accuracy, and worth in runs


def observed(accuracies: Mapping[str, Sequence[float]], worths: Worths) -> Observed:
    """Return the sufficient statistics; a forecast counts as a share of a run."""
    arrays = {key: np.asarray(values, dtype=np.float64) for key, values in accuracies.items()}
    scatter = float(sum(((one - one.mean()) ** 2).sum() for one in arrays.values()))
    counts, means = [], []
    for key in dict.fromkeys([*accuracies, *worths]):
        values = [(float(one), 1.0) for one in arrays.get(key, ())] + worths.get(key, [])
        weights = np.array([worth for _, worth in values])
        counts.append(weights.sum())
        means.append(weights @ [value for value, _ in values] / weights.sum())
    freedom = sum(len(one) - 1 for one in arrays.values())
    return Observed(np.array(counts), np.array(means), scatter, freedom)


def total_spread(accuracies: Mapping[str, Sequence[float]]) -> float:
    """Return the standard deviation of all runs together."""
    everything = [one for values in accuracies.values() for one in values]
    return float(np.std(everything)) if everything else 0.0
