"""Facts of what an attention module computed over many images, and whether it is dead."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from .attention.gate import Form

# A change of a thousandth is less than what bf16 rounds away, 2⁻⁹ of each number.
LEAST_GAIN = 1e-3
# Of a range of 1: a constant in its place would do the same. In rows it is a thousandth of the
# mean weight, which is 1/K: at 1,024 keys no softmax row would reach the spread of a live gate.
LEAST_SPREAD = 1e-3
# Of 64 keys, weights whose standard deviation is about a tenth of the mean weight: the square of
# that share is twice the entropy missing, 2 · 0.001 · log 64.
MOST_ENTROPY = 0.999
# Less than a hundredth is taken from elsewhere: the output is the input again.
MOST_DIAGONAL = 0.99
# Within 5 % of its limits a sigmoid's slope is below a fifth of its largest: it learns no more.
MOST_SATURATION = 0.99


@dataclass(frozen=True, slots=True)
class GateStatistics:
    """One gate over all images; None is what has no meaning for its form, NaN what is not finite.

    A scalar has a mean only.
    """

    form: Form
    mean: float
    spread: float | None = None  # standard deviation over images (more than one), mean of elements
    saturation: float | None = None  # share within 5 % of the range from one of the limits
    entropy: float | None = None  # of softmax rows, relative: 1 is uniform, 0 one key only
    diagonal: float | None = None  # mean of what a query takes from itself
    histogram: tuple[float, ...] | None = None  # shares of 20 equal ranges; 0 to 2 without limits


@dataclass(frozen=True, slots=True)
class ModuleStatistics:
    """One attention module over all images: its gates by name, and what it does to its input.

    `gain` is rms(A(x) − x) / rms(x): 0 where the module does nothing.
    """

    gain: float
    gates: Mapping[str, GateStatistics]


def reason_dead(statistics: ModuleStatistics) -> str | None:
    """Return in words why a network would do as well without the module, or None.

    Each of its gates must be idle, scalars aside: one that works is enough.
    """
    gates = {name: one for name, one in statistics.gates.items() if one.form != "scalar"}
    if any(map(math.isnan, (statistics.gain, *(one.mean for one in statistics.gates.values())))):
        return "what it computes is not finite"
    if statistics.gain < LEAST_GAIN:
        return (
            f"it changes its input by {statistics.gain:.2g} of its size, less than {LEAST_GAIN:g}"
        )
    reasons = {name: _reason_idle(one) for name, one in gates.items()}
    if not reasons or None in reasons.values():
        return None
    return "; ".join(f"{name}: {reason}" for name, reason in reasons.items())


def _reason_idle(gate: GateStatistics) -> str | None:
    """Return why a constant, or nothing, would do as well as the gate, or None."""
    if gate.entropy is not None:  # softmax rows
        if gate.entropy > MOST_ENTROPY:
            return f"takes the plain mean of all keys, with an entropy of {gate.entropy:.4f}"
        if gate.diagonal is not None and gate.diagonal > MOST_DIAGONAL:
            return f"takes {100 * gate.diagonal:.1f} % from itself"
    if gate.saturation is not None and gate.saturation > MOST_SATURATION:
        return f"is at its limits in {100 * gate.saturation:.1f} %, where it learns no more"
    size = abs(gate.mean) if gate.form == "rows" else 1.0
    if gate.spread is not None and gate.spread <= LEAST_SPREAD * size:
        return f"does not depend on the input, with a spread of {gate.spread:.2g}"
    return None


def as_plain(statistics: Mapping[str, ModuleStatistics]) -> dict[str, dict[str, object]]:
    """Return the facts as JSON has them, in 6 digits: null is what is not finite.

    What has no meaning for a gate's form is left out.
    """
    return {
        name: {
            "gain": _plain(one.gain),
            "gates": {key: _plain_gate(gate) for key, gate in one.gates.items()},
        }
        for name, one in statistics.items()
    }


def _plain_gate(gate: GateStatistics) -> dict[str, object]:
    named = ((field.name, getattr(gate, field.name)) for field in fields(gate))
    return {name: _plain(value) for name, value in named if value is not None}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
