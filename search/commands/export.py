"""`search export`: architectures as files that build and train."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from .. import options


def export(
    out: Annotated[Path, typer.Option(help="A .yaml or .json file, or a folder.")],
    pick: Annotated[
        str, typer.Option(help="recommended, best, knee, row:N, trial:N or front.")
    ] = "recommended",
    weights: Annotated[
        Path | None, typer.Option(help="Weights of `search train --save` for the folder.")
    ] = None,
    onnx: Annotated[bool, typer.Option("--onnx", help="Add an ONNX model, checked.")] = False,
    fold: Annotated[
        bool, typer.Option("--fold", help="Fold the batch norms of the ONNX model.")
    ] = False,
    onnx_batch: Annotated[
        int | None, typer.Option(help="Images that the ONNX model takes; any number.")
    ] = None,
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    cost: options.Cost = None,
) -> None:
    """Write the cheapest architecture that is not clearly worse than the best, or another.

    A file holds the architecture; a folder also plain PyTorch, a model card, and what is asked
    for, and the weights that the study has kept of a front member. The folder of --pick front
    holds a file for each row.
    """
    from space import Refusal, placements_in_words
    from studies.export import export as write
    from studies.export import only_in_file, picked, train_command

    from ..exports import Wanted, export_folder, with_kept_weights
    from ..opened import open_front

    wanted = Wanted(weights, onnx=onnx, fold=fold, batch=onnx_batch)
    is_folder = not out.suffix and pick != "front"
    if not is_folder and wanted != Wanted():
        raise Refusal(
            f"--weights and --onnx need one architecture in a folder, got --pick {pick} and "
            f"--out {out}; name a folder, or leave them out"
        )
    found, opened = open_front(storage, study, options.cost_name(cost))
    points = picked(found, pick)
    if is_folder:
        wanted = with_kept_weights(wanted, points[0], opened)
        paths = export_folder(points[0], found, out, study=opened, wanted=wanted)
    else:
        paths = write(points, found, out, study=opened)
    for path in paths:
        typer.echo(f"wrote: {path}")
    if len(points) == 1:
        typer.echo(f"what:  {placements_in_words(points[0].architecture)}")
        typer.echo(f"next:  {train_command(opened, shlex.quote(str(paths[0])))}")
        for line in only_in_file(opened):
            typer.echo(f"       {line}")
