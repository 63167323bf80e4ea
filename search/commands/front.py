"""`search front`: the Pareto front of a study."""

from typing import Annotated

import typer

from .. import options


def front(
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    cost: options.Cost = None,
    output: Annotated[str, typer.Option("--format", help="table, json or csv.")] = "table",
) -> None:
    """Show the front of estimated accuracy against cost, with errors and a verdict."""
    from space import Refusal

    from .. import reporting
    from ..opened import open_front

    if output not in reporting.FORMATS:
        raise Refusal(f"--format must be one of {', '.join(reporting.FORMATS)}, got {output}")
    found, opened = open_front(storage, study, options.cost_name(cost))
    if output == "json":
        typer.echo(reporting.front_json(found))
    elif output == "csv":
        typer.echo(reporting.front_csv(found))
    else:
        title = reporting.title_of(found, study, str(opened.settings["dataset"]))
        reporting.print_front(reporting.make_console(), found, title)
