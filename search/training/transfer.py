"""Weights of another training as a start: every tensor that fits by name and shape.

A network's names are those of its plain backbone and its attention's own: so plain weights fit
into a network with attention, and what attention is new stays freshly drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from backbones.gates import attention_modules
from space import Refusal

from .tensor_file import refuse_unsafe

MOST_NAMED = 8  # places, in a sentence


@dataclass(frozen=True, slots=True)
class Transfer:
    """Which tensors of the network came from the file: weights and buffers, by name."""

    loaded: tuple[str, ...]
    fresh: tuple[str, ...]
    unused: tuple[str, ...]  # of the file
    misshapen: tuple[str, ...] = ()  # those of the unused whose name is right, with both shapes


def transferred(model: nn.Module, path: Path) -> Transfer:
    """Put the file's tensors into the network where name and shape agree.

    Raises:
        Refusal: the file cannot be read, or nothing in it fits.
    """
    rule = f"--init-from must be a .safetensors file, got {path}"
    refuse_unsafe(path, rule)
    try:
        found = load_file(path)
    except (SafetensorError, OSError) as error:
        raise Refusal(f"{rule}: {error}") from error
    own = model.state_dict()
    misshapen = tuple(_misshapen(found, own))
    fitting = {name: one for name, one in found.items() if _fits(name, one.shape, own)}
    if not fitting:
        raise Refusal(
            f"--init-from must hold tensors of this network, got none of {len(own)} in {path}"
            f"{f' ({misshapen[0]})' if misshapen else ''}: "
            f"use weights of the same backbone, as `search train --save` writes them"
        )
    model.load_state_dict(fitting, strict=False)
    return Transfer(
        tuple(fitting),
        tuple(name for name in own if name not in fitting),
        tuple(name for name in found if name not in fitting),
        misshapen,
    )


def in_words(transfer: Transfer, model: nn.Module) -> str:
    """Return how much came from the file, and which places stay fresh."""
    num_loaded, num_fresh = len(transfer.loaded), len(transfer.fresh)
    words = f"{num_loaded} of {num_loaded + num_fresh} tensors loaded"
    if transfer.fresh:
        words += f"; fresh: {_listed(_places(transfer.fresh, model))}"
    if transfer.misshapen:
        words += f"; of another shape: {_listed(list(transfer.misshapen))}"
    if transfer.unused:
        words += f"; {len(transfer.unused)} of the file have no place here"
    return words


def _misshapen(found: dict[str, Tensor], own: dict[str, Tensor]) -> Iterator[str]:
    """Yield the tensors of the file that only a shape keeps out."""
    for name, one in found.items():
        if name in own and one.shape != own[name].shape:
            yield f"{name} {_sizes(one)}, here {_sizes(own[name])}"


def _sizes(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "one number"


def _fits(name: str, shape: tuple[int, ...], own: dict[str, Tensor]) -> bool:
    return name in own and own[name].shape == shape


def _places(names: tuple[str, ...], model: nn.Module) -> list[str]:
    """Return the attention modules that hold these tensors, or else the tensors themselves."""
    attention = tuple(f"{name}." for name in attention_modules(model))
    owners = {
        name: next((one for one in attention if name.startswith(one)), name) for name in names
    }
    return list(dict.fromkeys(owner.removesuffix(".") for owner in owners.values()))


def _listed(places: list[str]) -> str:
    shown = ", ".join(places[:MOST_NAMED])
    return f"{shown} and {len(places) - MOST_NAMED} more" if len(places) > MOST_NAMED else shown
