"""A trained network's weights as a file: safetensors, with the architecture in its head."""

import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_model
from torch import nn

from backbones import build
from space import Architecture, Refusal, digest

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
    try:
        with safe_open(str(path), "pt") as file:
            head = (file.metadata() or {}).get(HEAD)
    except (SafetensorError, OSError) as error:
        raise Refusal(f"{path} must hold weights of `search train --save`: {error}") from error
    own = None if head is None else Architecture.from_json(head)
    if own is None or digest(own) != digest(architecture):
        raise Refusal(f"{path} must hold weights of this architecture, got another's")
    model = build(own)  # in the spelling that they were trained in: its names are the file's
    model.load_state_dict(load_file(str(path)))
    return model
