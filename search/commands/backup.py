"""`search backup`: a copy of the database, also while a study runs."""

from pathlib import Path
from typing import Annotated

import typer

from .. import options


def backup(
    storage: options.Storage = options.DEFAULT_STORAGE,
    to: Annotated[
        Path | None, typer.Option(help="File or folder of the copy; beside the database.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file that --to names.")
    ] = False,
) -> None:
    """Copy the study database as it is now, whole and checked; a run may go on meanwhile."""
    from ..backup import backup_lines, made_backup

    for line in backup_lines(made_backup(storage, to, overwrite=overwrite), storage):
        typer.echo(line)
