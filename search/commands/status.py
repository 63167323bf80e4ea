"""`search status`: how far a study is."""

import typer

from .. import options


def status(
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
) -> None:
    """Count the trainings by state, with reasons of failures, the noise and the verdict."""
    from ..opened import open_status

    for line in open_status(storage, study):
        typer.echo(line)
