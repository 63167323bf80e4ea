"""What a worker may report: a fault in it fails that training, never the study."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from typing import TypeGuard

from space import Cost
from studies import Epoch, Outcome, Times

from .config import NUM_VALIDATION, Protocol

MAX_GATES = 1_000_000  # characters of JSON; the largest networks' are a hundredth of that
MAX_REASON = 2_000  # characters
MAX_WHOLE = 2**63 - 1  # of a database; beyond that some make no float


def fault_of_epoch(epoch: object, protocol: Protocol, number: int) -> str | None:
    """Return what no epoch of the protocol can have shown that comes with this number, or None."""
    if not isinstance(epoch, Epoch):
        return f"an epoch must be an Epoch, got {type(epoch).__name__}"
    if not _is_whole(epoch.epoch) or not 1 <= epoch.epoch <= protocol.epochs:
        return f"epoch must be 1 to {protocol.epochs}, got {_short(epoch.epoch)}"
    if epoch.epoch != number:
        return f"epoch must be {number}, the next, got {epoch.epoch}"
    numbers = {
        "training loss": epoch.train_loss,
        "validation loss": epoch.validation_loss,
        "seconds": epoch.seconds,
    }
    return _not_a_number(numbers) or _no_accuracy(epoch.accuracy)


def fault_of(
    outcome: object, cost: Cost, protocol: Protocol, curve: Sequence[Epoch]
) -> str | None:
    """Return what no training of this protocol and cost can have ended with, or None.

    `curve` holds the epochs that its attempt has shown.
    """
    if not isinstance(outcome, Outcome):
        return f"an outcome must be an Outcome, got {type(outcome).__name__}"
    found = _no_accuracy(outcome.accuracy) or _not_a_number(
        {"seconds": outcome.seconds, "images per second": outcome.images_per_second}
    )
    if found is None and outcome.unaveraged is not None:
        found = _no_accuracy(outcome.unaveraged)
    found = found or _fault_of_curve(curve, protocol.epochs) or _fault_of_times(outcome.times)
    if found is not None:
        return found
    num_bytes = NUM_VALIDATION[protocol.dataset] // 8
    if not isinstance(outcome.correct, bytes) or len(outcome.correct) != num_bytes:
        return f"correct must be {num_bytes} bytes, got {_short(outcome.correct)}"
    if (outcome.macs, outcome.params) != (cost.macs, cost.params):
        return (
            f"the network must have {cost.macs} MACs and {cost.params} params, "
            f"got {_short(outcome.macs)} and {_short(outcome.params)}"
        )
    return _fault_of_gates(outcome.gates)


def short_reason(reason: str) -> str:
    """Return a reason that fits into a line of a table, whatever a worker said."""
    return reason if len(reason) <= MAX_REASON else f"{reason[:MAX_REASON]} ..."


def _fault_of_curve(curve: Sequence[Epoch], num_epochs: int) -> str | None:
    """Return what is wrong with the epochs of a training that says it has ended."""
    shown = [one.epoch for one in curve]
    if shown == list(range(1, num_epochs + 1)):
        return None
    return (
        f"an outcome must come behind the epochs 1 to {num_epochs}, got it behind {_short(shown)}"
    )


def _fault_of_times(times: object) -> str | None:
    if times is None:
        return None
    if not isinstance(times, Times):
        return f"times must be Times, got {_short(times)}"
    return _not_a_number({f"seconds of {name}": one for name, one in asdict(times).items()})


def _fault_of_gates(gates: object) -> str | None:
    if not isinstance(gates, Mapping) or not all(
        isinstance(one, Mapping) for one in gates.values()
    ):
        return f"gates must be statistics by module, got {_short(gates)}"
    try:
        size = len(json.dumps({name: dict(one) for name, one in gates.items()}, allow_nan=False))
    except (TypeError, ValueError) as error:
        return f"gates must be plain numbers and names: {error}"
    if size > MAX_GATES:
        return f"gates must be at most {MAX_GATES:,} characters, got {size:,}"
    return None


def _no_accuracy(accuracy: object) -> str | None:
    if _is_number(accuracy) and 0 <= accuracy <= 1:  # NaN and infinity fail this too
        return None
    return f"accuracy must be from 0 to 1, got {_short(accuracy)}"


def _not_a_number(values: Mapping[str, object]) -> str | None:
    for name, value in values.items():
        if not _is_number(value) or not isfinite(value):
            return f"{name} must be a finite number, got {_short(value)}"
    return None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, float) or (_is_whole(value) and abs(value) <= MAX_WHOLE)


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _short(value: object) -> str:
    text = f"{len(value)} bytes" if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
