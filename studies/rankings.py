"""How well the first epochs of a training rank architectures: Kendall's tau across seeds.

A signal of one training is compared with the final accuracy of *another* training of the same
architectures: its own final accuracy shares its seed's luck and flatters every early signal. The
tau of two full trainings (test and retest) is the most that any signal can be expected to reach.

The better half is chosen by the final accuracies of trainings that are neither the one that
predicts nor the one that is predicted, so by luck that is not tested; where each architecture has
two trainings only, by the predicted one, which makes all taus of the half alike too low.

Intervals are percentiles of a bootstrap over architectures, 95 %.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from .estimates.link import accuracy, train_loss_sum, validation_loss
from .store.records import Epoch

Array = NDArray[np.float64]
DRAWS = 1000  # of the bootstrap
ENDS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Run:
    """One full training: its epochs and what it ended with."""

    curve: tuple[Epoch, ...]
    accuracy: float


Signal = Callable[[Sequence[Epoch]], float]  # of the epochs so far; higher promises more
SIGNALS: dict[str, Signal] = {
    "accuracy": accuracy,
    "validation_loss": lambda curve: -validation_loss(curve),
    "training_losses": lambda curve: -train_loss_sum(curve),
}


@dataclass(frozen=True, slots=True)
class Tau:
    """A rank correlation with its 95 % interval."""

    tau: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two trainings of the same architectures agree, among all and among the better half."""

    everyone: Tau
    better_half: Tau


@dataclass(frozen=True, slots=True)
class Rung:
    """What a signal after some epochs says of another training's end."""

    signal: str
    epoch: int
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Fidelity:
    """What the replicated trainings of a study say of its rungs."""

    num_architectures: int
    num_runs: int  # of each architecture that count
    num_epochs: int
    retest: Agreement
    rungs: tuple[Rung, ...]


def fidelity(runs: Mapping[str, Sequence[Run]]) -> Fidelity:
    """Return the taus of every signal after every epoch.

    Each architecture has at least two runs, all of the same number of epochs; of those with more
    runs than another has, the first count.
    """
    num_runs = min(len(one) for one in runs.values())
    kept = [tuple(one)[:num_runs] for one in runs.values()]
    num_epochs = len(kept[0][0].curve)
    final = np.array([[run.accuracy for run in one] for one in kept])
    rungs = tuple(
        Rung(name, epoch, agreement(_values(kept, signal, epoch), final))
        for name, signal in SIGNALS.items()
        for epoch in range(1, num_epochs + 1)
    )
    return Fidelity(len(kept), num_runs, num_epochs, agreement(final, final), rungs)


def retest(accuracies: Mapping[str, Sequence[float]]) -> Tau | None:
    """Return the tau of two full trainings; None if fewer than two architectures have two."""
    replicated = [values for values in accuracies.values() if len(values) > 1]
    if len(replicated) < 2:
        return None
    num_runs = min(len(values) for values in replicated)
    final = np.array([values[:num_runs] for values in replicated])
    return agreement(final, final).everyone


def agreement(signal: Array, final: Array) -> Agreement:
    """Return the mean tau over all ordered pairs of different runs (architectures x runs)."""
    num, num_runs = final.shape
    generator = np.random.default_rng(0)
    drawn = generator.multinomial(num, np.full(num, 1 / num), size=DRAWS)
    weights = np.vstack([np.ones(num), drawn])  # the first are the architectures themselves
    everyone, better = [], []
    for one, other in permutations(range(num_runs), 2):
        pair = signal[:, one], final[:, other]
        everyone.append(_taus(weights, *pair))
        better.append(_taus(weights * _is_better(final, one, other), *pair))
    return Agreement(_interval(everyone), _interval(better))


def _values(kept: Sequence[Sequence[Run]], signal: Signal, epoch: int) -> Array:
    return np.array([[signal(run.curve[:epoch]) for run in one] for one in kept])


def _is_better(final: Array, one: int, other: int) -> NDArray[np.bool_]:
    """Say which architectures are the better half for this pair of runs."""
    third = [number for number in range(final.shape[1]) if number not in (one, other)] or [other]
    order = np.argsort(-final[:, third].mean(axis=1), kind="stable")
    chosen = np.zeros(len(final), dtype=np.bool_)
    chosen[order[: (len(final) + 1) // 2]] = True
    return chosen


def _taus(weights: Array, x: Array, y: Array) -> Array:
    """Return tau-b with each row of weights: how often each architecture is in the sample.

    A signal that is the same for all ranks nothing: 0.
    """
    sign_x, sign_y = (np.sign(one[:, None] - one) for one in (x, y))
    agreeing, untied_x, untied_y = (
        ((weights @ signs) * weights).sum(axis=1)
        for signs in (sign_x * sign_y, sign_x**2, sign_y**2)
    )
    scale = np.sqrt(untied_x * untied_y)
    taus: Array = np.divide(agreeing, scale, out=np.zeros_like(scale), where=scale > 0)
    return taus


def _interval(taus: Sequence[Array]) -> Tau:
    mean = np.mean(taus, axis=0)
    low, high = np.quantile(mean[1:], ENDS)
    return Tau(float(mean[0]), float(low), float(high))
