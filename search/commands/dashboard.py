"""`search dashboard`: Optuna's dashboard on this machine."""

from typing import Annotated

import typer

from .. import options


def dashboard(
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8080,
    host: Annotated[
        str, typer.Option(help="Address to listen on; anyone who reaches it may delete studies.")
    ] = "127.0.0.1",
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="Serve a copy that takes no change.")
    ] = False,
) -> None:
    """Serve the stock Optuna dashboard; it shows raw single runs, and our front as a figure."""
    from studies import open_existing
    from studies.store.artifacts import artifact_folder

    from ..dashboard import serve
    from ..dashboard import snapshot as copied

    open_existing(storage, study).engine.dispose()
    pictures = artifact_folder(storage)
    if not snapshot:
        serve(storage, port, typer.echo, artifacts=pictures, host=host)
        return
    with copied(storage, pictures) as (copy, its_pictures):
        serve(copy, port, typer.echo, artifacts=its_pictures, host=host)
