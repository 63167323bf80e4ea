"""`search dashboard`: Optuna's dashboard on this machine."""

from typing import Annotated

import typer

from .. import options


def dashboard(
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    port: Annotated[
        int, typer.Option(help="Port on the loopback interface.", min=1, max=65535)
    ] = 8080,
) -> None:
    """Serve the stock Optuna dashboard; it shows raw single runs, and our front as a figure."""
    from studies import open_existing

    from ..dashboard import serve

    open_existing(storage, study).engine.dispose()
    serve(storage, port, typer.echo)
