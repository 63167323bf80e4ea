"""A trained network's weights as a file: safetensors, with the architecture in its head."""

import os
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_model
from torch import Tensor, nn

from backbones import build
from space import Architecture, Refusal, digest

from .tensor_file import refuse_unsafe

HEAD = "architecture"  # the key of its canonical JSON in the file's metadata


def save_weights(model: nn.Module, architecture: Architecture, path: Path) -> None:
    """Write all weights and buffers at once: a kill leaves the old file or the new one.

    Raises:
        Refusal: the disk refuses.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        save_model(model, str(half), metadata={HEAD: architecture.to_json()})
        half.replace(path)
    except (SafetensorError, OSError) as error:
        half.unlink(missing_ok=True)
        raise Refusal(f"the weights could not be written to {path}: {error}") from error


def load_weights(architecture: Architecture, path: Path) -> nn.Module:
    """Return the network with the weights of the file.

    Raises:
        Refusal: no such file, no weights of ours, or those of another architecture.
    """
    rule = f"{path} must hold weights of `search train --save`"
    refuse_unsafe(path, rule)
    try:
        with safe_open(path, "pt") as file:
            head = (file.metadata() or {}).get(HEAD)
        own = None if head is None else Architecture.from_json(head)
        found = load_file(path)
    except (SafetensorError, OSError, Refusal) as error:
        raise Refusal(f"{rule}: {error}") from error
    if own is None or digest(own) != digest(architecture):
        raise Refusal(f"{path} must hold weights of this architecture, got another's")
    model = build(own)  # in the spelling that they were trained in: its names are the file's
    state = model.state_dict()
    wrong = [name for name in {**state, **found} if _shape(state, name) != _shape(found, name)]
    if wrong:
        shapes = f"{_shape(state, wrong[0])}, got {_shape(found, wrong[0])}"
        raise Refusal(f"{path} must hold {wrong[0]} of shape {shapes}; train the network anew")
    model.load_state_dict(found)
    return model


def _shape(tensors: Mapping[str, Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(tensors[name].shape) if name in tensors else None
