"""`search doctor`: what here could keep a study from running, and what to do about it."""

from typing import Annotated

import typer

from .. import options


def doctor(
    storage: options.Storage = options.DEFAULT_STORAGE,
    data_dir: options.DataDir = None,
    output: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
) -> None:
    """Examine machine, packages, data and database; exit with 1 if there is a problem."""
    from space import Refusal

    from ..doctor import report
    from ..doctor.examination import examined

    if output not in report.FORMATS:
        raise Refusal(f"--format must be one of {', '.join(report.FORMATS)}, got {output}")
    findings = examined(storage, data_dir)
    typer.echo(report.as_json(findings) if output == "json" else report.as_text(findings))
    if not report.is_healthy(findings):
        raise typer.Exit(1)
