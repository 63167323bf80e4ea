"""`search train`: build an exported architecture and train it."""

from pathlib import Path
from typing import Annotated

import typer

from .. import options

BEGINNING = "Beginning"  # a panel of `--help`


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
    init_from: Annotated[
        Path | None,
        typer.Option(
            help="Begin with what fits of a .safetensors file.", rich_help_panel=BEGINNING
        ),
    ] = None,
    freeze_backbone: Annotated[
        int | None,
        typer.Option(
            help="Epochs in which only attention and the classifier learn.",
            rich_help_panel=BEGINNING,
        ),
    ] = None,
    attention_warmup: Annotated[
        int | None,
        typer.Option(
            help="Epochs over which attention comes in step by step.", rich_help_panel=BEGINNING
        ),
    ] = None,
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
    from ..training.single import keep, moved, refuse_unsaveable, say_what_is_idle, trained
    from ..training.tips import Tips

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
    tips = Tips(init_from, freeze_backbone, attention_warmup)
    model, images = trained(
        architecture, config, typer.echo, device=found.name, data_dir=data_dir, tips=tips
    )
    if save is not None:
        keep(model, architecture, save, typer.echo)
    say_what_is_idle(model, images, typer.echo)
