"""From a rung to the end: what a training's curve so far says of its final accuracy.

Shapes: N finished trainings, P coefficients of the regression.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ..store.evaluations import completed
from ..store.records import Epoch, Evaluation
from .posterior import Forecast

Array = NDArray[np.float64]
Signal = Callable[[Sequence[Epoch]], float]
MIN_FINISHED = 12  # trainings to learn from


@dataclass(frozen=True, slots=True)
class Curve:
    """A training that has ended, and how many it stands for."""

    epochs: Sequence[Epoch]
    accuracy: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """How final accuracies follow from the signals at a rung: a weighted linear regression."""

    rung: int
    signals: tuple[str, ...]
    coefficients: Array  # the first is the constant
    covariance: Array  # of the coefficients, in units of the residual variance
    residual_sd: float
    degrees_of_freedom: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The accuracy that a training will end with: Student's t around the mean."""

    accuracy: float
    sd: float
    degrees_of_freedom: float


def accuracy(epochs: Sequence[Epoch]) -> float:
    """Return the validation accuracy of the last epoch."""
    return epochs[-1].accuracy


def validation_loss(epochs: Sequence[Epoch]) -> float:
    """Return the validation loss of the last epoch."""
    return epochs[-1].validation_loss


def train_loss_sum(epochs: Sequence[Epoch]) -> float:
    """Return the sum of all training losses so far, which is low where learning was fast.

    Source: Ru et al., Speedy Performance Estimation for Neural Architecture Search,
    arXiv:2006.04492, sec. 3.
    """
    return sum(one.train_loss for one in epochs)


SIGNALS: dict[str, Signal] = {
    "accuracy": accuracy,
    "validation_loss": validation_loss,
    "train_loss_sum": train_loss_sum,
}
USED = ("accuracy", "train_loss_sum")  # docs/search-quality.md: what they are worth


def finished_curves(
    known: Sequence[Evaluation], curves: Mapping[int, Sequence[Epoch]], audit: float
) -> tuple[Curve, ...]:
    """Return the curves of a study's completed trainings; `audit` is its share of the stops.

    An audited training stands for 1 / audit: itself and those that were stopped like it.
    """
    return tuple(
        Curve(curves[one.id], one.accuracy, 1 / audit if one.purpose == "audit" else 1.0)
        for one in completed(known)
        if one.accuracy is not None and one.id in curves
    )


def link(finished: Sequence[Curve], rung: int, signals: Sequence[str] = USED) -> Link | None:
    """Return what the finished trainings say of a rung; None where they are too few or too alike.

    Where a further signal adds nothing, as it would if it were constant, the first one is left.

    A weight is how many trainings one stands for, not how exact it is: so the coefficients have
    the covariance σ² (X'WX)⁻¹ X'W²X (X'WX)⁻¹, and the weighted sum of squared residuals has the
    mean σ² tr Q and (tr Q)² / tr Q² degrees of freedom, where Q = W − WX (X'WX)⁻¹ X'W.

    Source: Horvitz and Thompson, JASA 47 (260), 1952, for the weights; Satterthwaite, Biometrics
    Bulletin 2 (6), 1946, for the degrees of freedom.
    """
    fitted = (_link(finished, rung, some) for some in (signals, signals[:1]))
    return next((one for one in fitted if one is not None), None)


def _link(finished: Sequence[Curve], rung: int, signals: Sequence[str]) -> Link | None:
    reached = [one for one in finished if len(one.epochs) >= rung]
    x_NP = np.array([_row(one.epochs, rung, signals) for one in reached])
    if len(reached) < MIN_FINISHED or not np.isfinite(x_NP).all():
        return None
    if np.linalg.matrix_rank(x_NP) < x_NP.shape[1]:
        return None
    y_N = np.array([one.accuracy for one in reached])
    w_N = np.array([one.weight for one in reached])
    inverse_PP = np.linalg.inv(x_NP.T * w_N @ x_NP)
    coefficients_P = inverse_PP @ (x_NP.T * w_N @ y_N)
    second_PP, third_PP = (inverse_PP @ (x_NP.T * w_N**power @ x_NP) for power in (2, 3))
    trace = w_N.sum() - np.trace(second_PP)
    of_square = (w_N**2).sum() - 2 * np.trace(third_PP) + np.trace(second_PP @ second_PP)
    squares = w_N @ (y_N - x_NP @ coefficients_P) ** 2
    return Link(
        rung=rung,
        signals=tuple(signals),
        coefficients=coefficients_P,
        covariance=second_PP @ inverse_PP,
        residual_sd=sqrt(squares / trace),
        degrees_of_freedom=float(trace**2 / of_square),
    )


def predicted(found: Link, epochs: Sequence[Epoch]) -> Prediction:
    """Return what a training will end with that has reached the link's rung.

    The error is that of one training: its own noise, and the coefficients'.
    """
    x_P = np.array(_row(epochs, found.rung, found.signals))
    sd = found.residual_sd * sqrt(1 + float(x_P @ found.covariance @ x_P))
    return Prediction(float(x_P @ found.coefficients), sd, found.degrees_of_freedom)


def forecasts_of(
    known: Sequence[Evaluation], curves: Mapping[int, Sequence[Epoch]], audit: float
) -> dict[int, Forecast]:
    """Return, by its id, what each stopped training would have ended with."""
    finished = finished_curves(known, curves, audit)
    links: dict[int, Link | None] = {}
    found = {}
    for one in known:
        curve = curves.get(one.id, ())
        if one.state != "stopped" or not curve or one.purpose == "reference":
            continue
        rung = len(curve)
        if rung not in links:
            links[rung] = link(finished, rung)
        known_link = links[rung]
        if known_link is not None:
            expected = predicted(known_link, curve)
            found[one.id] = Forecast(expected.accuracy, expected.sd)
    return found


def _row(epochs: Sequence[Epoch], rung: int, signals: Sequence[str]) -> list[float]:
    return [1.0, *(SIGNALS[name](epochs[:rung]) for name in signals)]
