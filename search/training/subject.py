"""The network that is looked at: with its saved weights, or trained briefly."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from search.config import StudyConfig
from space import Architecture, Refusal, digest

from .data import ensure
from .loop import Images
from .single import trained
from .tensor_file import refuse_unsafe
from .weights import HEAD, load_weights
from .worker import images_of

FEWEST = 10  # training images to have where nothing is trained


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A trained network, what it is, and the images of its data set."""

    model: nn.Module
    architecture: Architecture
    images: Images


def subject_of(
    architecture: Architecture,
    weights: Path | None,
    config: StudyConfig,
    say: Callable[[str], None],
    *,
    device: str,
    data_dir: Path | None,
) -> Subject:
    """Return the network with the weights of a file, or trained as the config says.

    Raises:
        Refusal: the weights are another network's, or the training failed.
    """
    if weights is None:
        epochs = config.protocol.epochs
        say(
            f"no --weights: it trains first, for {epochs} epoch{'s' if epochs > 1 else ''}; "
            f"where attention ends after a whole training may be elsewhere"
        )
        model, images = trained(architecture, config, say, device=device, data_dir=data_dir)
        return Subject(model, architecture, images)
    noted = _noted(weights)
    if digest(noted) != digest(architecture):
        raise Refusal(
            f"--weights must be of the architecture {digest(architecture)}, got {weights} of "
            f"{digest(noted)}; name the file that was trained"
        )
    model = load_weights(noted, weights).to(torch.device(device))
    ensure(config.protocol.dataset, data_dir, say)
    few = config.protocol.model_copy(update={"train_images": FEWEST})
    return Subject(model, noted, images_of(few, data_dir, device))


def _noted(weights: Path) -> Architecture:
    """Return the architecture in the head of the file: maybe another spelling of the one wanted.

    Raises:
        Refusal: no such file, or nothing is noted in it.
    """
    rule = f"--weights must be a file of `search train --save`, got {weights}"
    refuse_unsafe(weights, rule)
    try:
        with safe_open(weights, "pt") as file:
            head = (file.metadata() or {}).get(HEAD)
    except (SafetensorError, OSError) as error:
        raise Refusal(f"{rule}: {error}") from error
    if head is None:
        raise Refusal(
            f"--weights must note its architecture, as `search train --save` does, got {weights}"
        )
    return Architecture.from_json(head)
