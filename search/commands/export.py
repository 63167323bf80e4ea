"""`search export`: architectures as files that build and train."""

from pathlib import Path
from typing import Annotated

import typer

from .. import options


def export(
    out: Annotated[Path, typer.Option(help="A .yaml or .json file; a folder for the front.")],
    pick: Annotated[
        str, typer.Option(help="recommended, best, knee, row:N, trial:N or front.")
    ] = "recommended",
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    cost: options.Cost = None,
) -> None:
    """Write the cheapest architecture that is not clearly worse than the best, or another."""
    from space import placements_in_words
    from studies.export import export as write
    from studies.export import only_in_file, picked, train_command

    from ..opened import open_front

    found, opened = open_front(storage, study, options.cost_name(cost))
    points = picked(found, pick)
    paths = write(points, found, out, study=opened)
    for path in paths:
        typer.echo(f"wrote: {path}")
    if len(points) == 1:
        typer.echo(f"what:  {placements_in_words(points[0].architecture)}")
        typer.echo(f"next:  {train_command(opened, str(paths[0]))}")
        for line in only_in_file(opened):
            typer.echo(f"       {line}")
