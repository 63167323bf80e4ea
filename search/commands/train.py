"""`search train`: build an exported architecture and train it."""

from pathlib import Path
from typing import Annotated

import typer

from .. import options


def train(
    file: Annotated[Path, typer.Argument(help="An exported .yaml or .json architecture.")],
    dataset: options.Dataset = None,
    data_dir: options.DataDir = None,
    train_images: options.TrainImages = None,
    backbone: options.Backbone = None,
    epochs: options.Epochs = None,
    seed: options.Seed = None,
    device: options.Device = "auto",
    learning_rate: options.LearningRate = None,
    weight_decay: options.WeightDecay = None,
    batch_size: options.BatchSize = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the weights to a .safetensors file.")
    ] = None,
) -> None:
    """Train one architecture and report its validation accuracy; the test images stay closed.

    --backbone moves the placements to another network with as many stages.
    """
    from ..config import config_of
    from ..defaults import with_defaults
    from ..training.device import resolve_device
    from ..training.single import moved, refuse_unsaveable, train_single

    refuse_unsaveable(save)
    architecture = moved(file, backbone)
    found = resolve_device(device)
    given = {
        "dataset": dataset,
        "train_images": train_images,
        "backbone": architecture.backbone,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "batch_size": batch_size,
        "seed": seed,
    }
    values = {name: value for name, value in given.items() if value is not None}
    config = config_of(with_defaults(values, found.name, found.precision))
    train_single(architecture, config, typer.echo, device=found.name, data_dir=data_dir, save=save)
