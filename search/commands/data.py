"""`search data`: bring CIFAR-10 to this machine, check it, say where it is."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Fetch and check CIFAR-10.")

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of the arrays; this user's cache if left out."),
]


@app.command()
def fetch(data_dir: DataDir = None) -> None:
    """Fetch what is missing and replace what is corrupt."""
    from ..training import cifar

    cifar.fetch(data_dir, typer.echo)


@app.command()
def verify(data_dir: DataDir = None) -> None:
    """Check every byte; exit with 1 if an array is missing or corrupt."""
    from ..training import cifar

    checks = cifar.verify(data_dir)
    for check in checks:
        typer.echo(f"{check.state:8}{check.name:14}{check.bytes:>12,} bytes  {check.path}")
    if any(check.state != "ok" for check in checks):
        raise typer.Exit(1)


@app.command()
def where(data_dir: DataDir = None) -> None:
    """Print the folder of the arrays."""
    from ..training import cifar

    typer.echo(cifar.where(data_dir))
