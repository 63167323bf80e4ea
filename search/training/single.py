"""Train one architecture in this process, on training and validation images only."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from space import (
    NUM_CLASSES,
    Architecture,
    Refusal,
    backbone,
    cost,
    count_in_words,
    placements_in_words,
    read_architecture,
)
from studies import Epoch

from ..config import StudyConfig
from .data import ensure

if TYPE_CHECKING:
    from torch.nn import Module

    from .loop import Images


def moved(file: Path, name: str | None) -> Architecture:
    """Return the file's architecture, on another backbone if one is named.

    Raises:
        Refusal: the file breaks a rule, or the backbone has another number of stages.
    """
    architecture = read_architecture(file)
    if architecture.num_classes != NUM_CLASSES:
        raise Refusal(
            f"num_classes must be {NUM_CLASSES} to train, got {architecture.num_classes}"
        )
    if name is None or name == architecture.backbone:
        return architecture
    stages, own = len(backbone(name).stages), len(architecture.stages)
    if stages != own:
        raise Refusal(f"--backbone must have {own} stages as in {file}, got {name} with {stages}")
    return Architecture.from_json(architecture.model_copy(update={"backbone": name}).to_json())


def refuse_unsaveable(save: Path | None) -> None:
    """Check the weights' file name before hours of training.

    Raises:
        Refusal: its suffix or its folder is wrong.
    """
    if save is None:
        return
    if save.suffix != ".safetensors":
        raise Refusal(f"--save must end in .safetensors, got {save}")
    if save.is_dir() or not os.access(save.absolute().parent, os.W_OK):
        raise Refusal(f"--save must be a file in a folder that can be written, got {save}")


def train_single(
    architecture: Architecture,
    config: StudyConfig,
    say: Callable[[str], None],
    *,
    device: str,
    data_dir: Path | None,
    save: Path | None,
) -> None:
    """Train, say each epoch, and save the weights if asked.

    Raises:
        Refusal: the loss became no number, memory ran out, or the weights could not be written.
    """
    from .loop import TrainingDivergedError, train
    from .worker import OUT_OF_MEMORY, images_of, is_out_of_memory, seeded_model

    ensure(config.protocol.dataset, data_dir, say)
    say(_what(architecture, config, device))
    try:
        images = images_of(config.protocol, data_dir, device)
        model = seeded_model(architecture, config.seed)
        for epoch, _ in train(model, images, config.protocol, seed=config.seed):
            say(_line(epoch, config))
    except TrainingDivergedError as error:
        raise Refusal(f"{error}; a smaller --learning-rate may help") from error
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise Refusal(OUT_OF_MEMORY) from error
    if save is not None:
        _save(model, architecture, save)
        say(f"weights: {save}")
    _say_what_is_idle(model, images, say)


def _what(architecture: Architecture, config: StudyConfig, device: str) -> str:
    price, protocol = cost(architecture), config.protocol
    return (
        f"{placements_in_words(architecture)} on {architecture.backbone}: "
        f"{count_in_words(price.macs)} MACs, {count_in_words(price.params)} params; "
        f"{protocol.train_images} images of {protocol.dataset}, {protocol.precision} on {device}"
    )


def _line(epoch: Epoch, config: StudyConfig) -> str:
    speed = config.protocol.train_images / epoch.seconds
    return (
        f"epoch {epoch.epoch}/{config.protocol.epochs}: train loss {epoch.train_loss:.3f}, "
        f"validation loss {epoch.validation_loss:.3f}, validation accuracy "
        f"{100 * epoch.accuracy:.2f} %, {epoch.seconds:.0f} s ({speed:,.0f} images/s)"
    )


def _say_what_is_idle(model: "Module", images: "Images", say: Callable[[str], None]) -> None:
    """Name each attention module without which the network would do as well."""
    from backbones import reason_dead

    from .worker import gates_of

    for name, facts in gates_of(model, images).items():
        reason = reason_dead(facts)
        if reason:
            say(f"attention without effect in {name}: {reason}")


def _save(model: "Module", architecture: Architecture, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_model

    try:
        save_model(model, str(path), metadata={"architecture": architecture.to_json()})
    except SafetensorError as error:
        raise Refusal(f"the weights could not be written to {path}: {error}") from error
