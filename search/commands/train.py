"""`search train`: build an exported architecture and train it."""

from pathlib import Path
from typing import Annotated

import typer

from .. import options


def train(
    file: Annotated[Path, typer.Argument(help="An exported .yaml or .json architecture.")],
    backbone: options.Backbone = None,
    seed: options.Seed = None,
    protocol: options.ProtocolFile = None,
    dataset: options.Dataset = None,
    train_images: options.TrainImages = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    learning_rate: options.LearningRate = None,
    weight_decay: options.WeightDecay = None,
    averaging: options.Averaging = None,
    curve_images: options.CurveImages = None,
    data_dir: options.DataDir = None,
    device: options.Device = "auto",
    save: Annotated[
        Path | None, typer.Option(help="Write the weights to a .safetensors file.")
    ] = None,
) -> None:
    """Train one architecture and report its validation accuracy; the test images stay closed.

    --backbone moves the placements to another network with as many stages.
    """
    from ..config import config_of
    from ..defaults import with_defaults
    from ..protocol_file import with_protocol
    from ..training.device import resolve_device
    from ..training.single import moved, refuse_unsaveable, train_single

    refuse_unsaveable(save)
    architecture = moved(file, backbone)
    found = resolve_device(device)
    given = {
        "backbone": architecture.backbone,
        "seed": seed,
        "dataset": dataset,
        "train_images": train_images,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "averaging": averaging,
        "curve_images": curve_images,
    }
    values = with_protocol(protocol, {key: one for key, one in given.items() if one is not None})
    config = config_of(with_defaults(values, found.name, found.precision))
    train_single(architecture, config, typer.echo, device=found.name, data_dir=data_dir, save=save)
