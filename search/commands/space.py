"""`search space`: what may be proposed for a backbone, and what each mechanism costs there."""

from typing import Annotated

import typer

from .. import options


def space(
    backbone: options.Backbone = None,
    output: Annotated[str, typer.Option("--format", help="table, markdown or json.")] = "table",
) -> None:
    """Count the architectures of a backbone and show what each mechanism costs at each stage."""
    from space import Refusal, SearchSpace
    from space import backbone as known

    from .. import reporting, space_table
    from ..defaults import default_backbone

    if output not in space_table.FORMATS:
        raise Refusal(f"--format must be one of {', '.join(space_table.FORMATS)}, got {output}")
    searched = SearchSpace(backbone=known(backbone or default_backbone("cpu")).name)
    if output == "json":
        typer.echo(space_table.as_json(searched))
    elif output == "markdown":
        typer.echo(space_table.markdown_table(searched.backbone))
    else:
        reporting.make_console().print(space_table.screen_table(searched.backbone))
        typer.echo(space_table.size_line(searched))
