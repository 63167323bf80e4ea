"""`search gates`: what each attention module does with real images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import options

if TYPE_CHECKING:
    from studies.pictures.facts import Looked

MOST_IMAGES = 64
# Of the training without --weights; a batch so small takes enough steps on any device.
BRIEF: dict[str, object] = {"epochs": 2, "batch_size": 128, "learning_rate": 0.1}
BRIEF_IMAGES = 5_000


def gates(
    file: Annotated[Path, typer.Argument(help="An exported .yaml or .json architecture.")],
    weights: Annotated[
        Path | None,
        typer.Option(help="Its weights, of `search train --save`; else it trains briefly."),
    ] = None,
    images: Annotated[int, typer.Option(help="Validation images to look at.")] = 8,
    out: Annotated[Path, typer.Option(help="Folder of the pictures.")] = Path("gates"),
    dataset: options.Dataset = None,
    train_images: options.TrainImages = None,
    epochs: options.Epochs = None,
    seed: options.Seed = None,
    data_dir: options.DataDir = None,
    device: options.Device = "auto",
) -> None:
    """Draw what each attention module does with real images, and say whether it works.

    Without --weights it trains first: 2 epochs of 5,000 images unless told otherwise.
    """
    from space import Refusal

    from ..config import config_of
    from ..defaults import with_defaults
    from ..folder_for import folder_for
    from ..training.device import resolve_device
    from ..training.single import moved

    if not 1 <= images <= MOST_IMAGES:
        raise Refusal(f"--images must be 1 to {MOST_IMAGES}, got {images}")
    architecture = moved(file, None)
    if architecture.is_plain:
        raise Refusal(f"{file} must have attention to look at, got a plain network")
    training = {"train_images": train_images, "epochs": epochs, "seed": seed}
    if weights is not None:
        _refuse_training(training)
    found = resolve_device(device)
    given = {"dataset": dataset, **training, "backbone": architecture.backbone}
    values = _brief({key: one for key, one in given.items() if one is not None})
    config = config_of(with_defaults(values, found.name, found.precision))
    with folder_for(out):
        from ..training.looks import looked  # torch: after all that can be refused without it
        from ..training.subject import subject_of

        subject = subject_of(
            architecture, weights, config, typer.echo, device=found.name, data_dir=data_dir
        )
        _draw(looked(subject, images), out)


def _refuse_training(training: dict[str, int | None]) -> None:
    for name, value in training.items():
        if value is not None:
            from space import Refusal

            option = f"--{name.replace('_', '-')}"
            raise Refusal(f"{option} is for training, which --weights leaves out; give one only")


def _brief(given: dict[str, object]) -> dict[str, object]:
    """Return what is given and, for the rest, a training of a minute or so."""
    from ..config import NUM_TRAIN

    most = NUM_TRAIN.get(str(given.get("dataset", "cifar10")), BRIEF_IMAGES)
    return {**BRIEF, "train_images": min(BRIEF_IMAGES, most), **given}


def _draw(found: "Looked", out: Path) -> None:
    """Say what each module does, and write its picture and one of all."""
    from studies.pictures.gates import module_picture, overview_picture

    for module in found.modules:
        typer.echo(module.line)
    overview = out / "overview.png"
    overview.write_bytes(overview_picture(found))
    typer.echo(f"wrote: {overview}")
    for module in found.modules:
        path = out / f"{module.name}.png"
        path.write_bytes(module_picture(found, module))
        typer.echo(f"wrote: {path}")
