"""`search fidelity`: how much do early epochs say of a training's end?"""

from typing import Annotated

import typer

from .. import options


def fidelity(
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    output: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
) -> None:
    """Show how early epochs rank networks, beside how two full trainings of them agree."""
    from space import Refusal
    from studies import completed, curves, evaluations, fidelity, open_existing

    from .. import fidelity_table
    from ..reporting import make_console

    if output not in fidelity_table.FORMATS:
        formats = ", ".join(fidelity_table.FORMATS)
        raise Refusal(f"--format must be one of {formats}, got {output}")
    opened = open_existing(storage, study)
    done = completed(evaluations(opened))
    num_epochs = int(str(opened.settings["epochs"]))
    found = fidelity(fidelity_table.replicated(done, curves(opened), num_epochs))
    if output == "json":
        typer.echo(fidelity_table.as_json(found))
        return
    console = make_console()
    for table in fidelity_table.tables(found):
        console.print(table)
    console.print(fidelity_table.closing(found), soft_wrap=True, markup=False)
