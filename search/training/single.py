"""Train one architecture in this process, on training and validation images only."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from math import ceil
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

from ..config import Protocol, StudyConfig
from .data import ensure
from .tips import NO_TIPS, Tips

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


def trained(
    architecture: Architecture,
    config: StudyConfig,
    say: Callable[[str], None],
    *,
    device: str,
    data_dir: Path | None,
    tips: Tips = NO_TIPS,
) -> tuple["Module", "Images"]:
    """Train, say each epoch, and return the network and the images it was trained on.

    Raises:
        Refusal: a tip does not fit, the loss became no number, or memory ran out.
    """
    from .loop import TrainingDivergedError, train
    from .state import TrainingState
    from .worker import OUT_OF_MEMORY, images_of, is_out_of_memory, seeded_model

    tips.refuse_unfit(architecture, config.protocol.epochs)
    say(_what(architecture, config, device))
    try:
        model = seeded_model(architecture, config.seed)
        beginning = _beginning(model, config.protocol, tips, say)
        ensure(config.protocol.dataset, data_dir, say)
        images = images_of(config.protocol, data_dir, device)
        with beginning:
            state = TrainingState(model, config.protocol, config.seed, images.device)
            for epoch, _ in train(state, images):
                say(_line(epoch, config))
    except TrainingDivergedError as error:
        raise Refusal(f"{error}; a smaller --learning-rate may help") from error
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise Refusal(OUT_OF_MEMORY) from error
    return model, images


def keep(
    model: "Module", architecture: Architecture, save: Path, say: Callable[[str], None]
) -> None:
    """Write the weights and say where they are.

    Raises:
        Refusal: the disk refuses.
    """
    from .weights import save_weights

    save_weights(model, architecture, save)
    say(f"weights: {save}")


def say_what_is_idle(model: "Module", images: "Images", say: Callable[[str], None]) -> None:
    """Name each attention module without which the network would do as well."""
    from backbones import reason_dead

    from .worker import gates_of

    for name, facts in gates_of(model, images).items():
        reason = reason_dead(facts)
        if reason:
            say(f"attention without effect in {name}: {reason}")


def _beginning(
    model: "Module", protocol: Protocol, tips: Tips, say: Callable[[str], None]
) -> AbstractContextManager[None]:
    """Load what the tips say, and return the context in which the training begins so.

    Raises:
        Refusal: the weights do not fit, or leave out some of what shall be frozen.
    """
    from .beginning import backbone_names, begun
    from .transfer import in_words, transferred

    if tips.init_from is not None:
        found = transferred(model, tips.init_from)
        say(f"{tips.init_from}: {in_words(found, model)}")
        missing = sorted(backbone_names(model) & set(found.fresh))
        if tips.freeze_backbone is not None and missing:
            raise Refusal(
                f"--freeze-backbone needs weights of the whole backbone in --init-from, got none "
                f"for {len(missing)} of its tensors, as {missing[0]}"
            )
    steps = ceil(protocol.train_images / protocol.batch_size)
    return begun(
        model,
        frozen_steps=steps * (tips.freeze_backbone or 0),
        warmup_steps=steps * (tips.attention_warmup or 0),
    )


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
