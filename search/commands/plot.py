"""`search plot`: the front as a figure in one HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from .. import options


def plot(
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("front.html"),
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    cost: options.Cost = None,
) -> None:
    """Draw every architecture, the front, and the plain networks of other depths."""
    from space import Refusal
    from studies.figures import front_figure

    from ..budgets import limits_of
    from ..opened import open_front
    from ..reporting import title_of

    if out.suffix != ".html":
        raise Refusal(f"--out must end in .html, got {out}")
    found, opened = open_front(storage, study, options.cost_name(cost))
    if not found.rows:
        raise Refusal("no training has finished yet; go on with `search run`")
    title = title_of(found, study, str(opened.settings["dataset"]))
    limits = limits_of(opened.settings)
    out.parent.mkdir(parents=True, exist_ok=True)
    front_figure(found, title, limits).write_html(out, include_plotlyjs=True)
    typer.echo(f"figure: {out}")
