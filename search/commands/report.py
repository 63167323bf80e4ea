"""`search report`: a study as one page."""

from pathlib import Path
from typing import Annotated

import typer

from .. import options


def report(
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("report.html"),
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    cost: options.Cost = None,
) -> None:
    """Write one page that needs no network: verdict, front, networks, effects, provenance."""
    from space import Refusal
    from studies import verdict
    from studies.report import report_page

    from ..opened import open_front
    from ..reported import reported

    if out.suffix != ".html":
        raise Refusal(f"--out must end in .html, got {out}")
    if not out.absolute().parent.is_dir():
        raise Refusal(f"--out needs an existing folder, got {out.absolute().parent}")
    if out.is_dir():
        raise Refusal(f"--out must be a file, got the folder {out}")
    front, opened = open_front(storage, study, options.cost_name(cost))
    if not front.rows:
        raise Refusal("no training has finished yet; go on with `search run`")
    text = report_page(reported(front, opened), verdict(front))
    _write(out, text)
    typer.echo(f"report: {out}")


def _write(out: Path, text: str) -> None:
    """Write the file whole or not at all."""
    import os

    half = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(out)
    finally:
        half.unlink(missing_ok=True)
