"""Trained weights on their way out: whose they are, and their network as an ONNX model."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from backbones import build
from backbones.fold import folded
from backbones.onnx import onnx_model, refuse_missing_packages
from space import Architecture, Refusal, digest, placements_in_words

from .tensor_file import refuse_unsafe
from .weights import HEAD, load_weights
from .worker import seeded_model

FOLD_BATCH = 2  # images of the pass that finds the norms to fold


def trained_architecture(path: Path, wanted: Architecture) -> Architecture:
    """Return the wanted architecture in the spelling that the weights in the file were trained in.

    Raises:
        Refusal: there are no weights of ours, or they are those of another network.
    """
    rule = f"{path} must hold weights of `search train --save`"
    refuse_unsafe(path, rule)
    try:
        with safe_open(path, "pt") as file:
            head = (file.metadata() or {}).get(HEAD)
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise Refusal(f"{rule}: {error}") from error
    if head is None:
        raise Refusal(f"{path} must name its architecture, as `search train --save` writes it")
    own = Architecture.from_json(head)
    if digest(own) != digest(wanted):
        raise Refusal(
            f"--weights must be of {_in_words(wanted)}, got {path} of {_in_words(own)}; pick that "
            "network, or train this one with `search train --save`"
        )
    if found != _shapes(own):
        raise Refusal(f"{path} must hold the tensors of {_in_words(own)}, got others; train anew")
    return own


def _in_words(architecture: Architecture) -> str:
    placements = placements_in_words(architecture)
    return f"{placements} on {architecture.backbone} ({digest(architecture)})"


def _shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor of the network, which is not drawn for it."""
    with torch.device("meta"):
        state = build(architecture).state_dict()
    return {name: tuple(one.shape) for name, one in state.items()}


def write_onnx(
    architecture: Architecture, path: Path, *, weights: Path | None, fold: bool, batch: int | None
) -> None:
    """Write the network as an ONNX model, with random weights of seed 0 if none are given.

    Raises:
        Refusal: a package is missing, the weights do not fit, or the model is not the network.
    """
    refuse_missing_packages()
    side = architecture.plain_backbone().side
    model = _network(architecture, weights)
    if fold:
        generator = torch.Generator().manual_seed(0)
        model = folded(model, torch.randn(FOLD_BATCH, 3, side, side, generator=generator))
    path.write_bytes(onnx_model(model, side, batch))


def _network(architecture: Architecture, weights: Path | None) -> nn.Module:
    if weights is None:
        return seeded_model(architecture, 0)
    return load_weights(architecture, weights)
