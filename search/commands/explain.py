"""`search explain`: what each mechanism does in each stage, and what can be concluded."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import options

if TYPE_CHECKING:
    from studies import Front

    from ..confirm.session import Bench


USUAL_SEEDS = 3


def explain(
    out: Annotated[
        Path | None, typer.Option(help="HTML file to write the map of effects to.")
    ] = None,
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    cost: options.Cost = None,
    output: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
    ablate: Annotated[
        str | None, typer.Option(help="Train the changes of recommended, best, knee or row:N.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Trainings of each change, for --ablate; 3.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Begin, even for over an hour.")] = False,
    data_dir: options.DataDir = None,
    device: options.Device = "auto",
    workers: options.Workers = "auto",
) -> None:
    """Show what each mechanism does in each stage, which choice matters, and how sure that is.

    --ablate trains a front member beside itself without each placement, and with each moved to
    an empty stage. Those trainings are stored and shown from then on.
    """
    from .. import ablation, effect_table
    from ..config import config_of
    from ..confirm.session import bench_of
    from ..explanation import draw, explanation
    from ..opened import open_front
    from ..reporting import make_console

    _refuse(output, out)
    only = {"--seeds": seeds is not None, "--yes": yes, "--data-dir": data_dir is not None}
    _refuse_idle([name for name, is_given in only.items() if is_given and ablate is None])
    num_workers, num_seeds = options.num_workers(workers), _seeds(seeds)
    front, opened = open_front(storage, study, options.cost_name(cost))
    found, failed = explanation(front, opened), 0
    if ablate is not None:
        bench = bench_of(opened, device, num_workers, data_dir)
        failed = _train(bench, front, (ablate, num_seeds), yes=yes, quiet=output == "json")
    shown = ablation.members(opened, front, config_of(dict(opened.settings)))
    title = f"Effects of attention in study {study} on {opened.settings['dataset']}"
    if output == "json":
        typer.echo(effect_table.as_json(found, [ablation.facts(one) for one in shown]))
    else:
        console = make_console()
        effect_table.print_all(console, found, title)
        for one in shown:
            console.print(ablation.table(one))
    if out is not None:
        draw(found, title, out)
        typer.echo(f"figure: {out}", err=output == "json")  # JSON stays alone on its stream
    if failed:
        raise typer.Exit(1)


def _refuse(output: str, out: Path | None) -> None:
    from space import Refusal

    from .. import effect_table

    if output not in effect_table.FORMATS:
        formats = ", ".join(effect_table.FORMATS)
        raise Refusal(f"--format must be one of {formats}, got {output}")
    if out is not None and out.suffix != ".html":
        raise Refusal(f"--out must end in .html, got {out}")


def _refuse_idle(given: list[str]) -> None:
    """Refuse what only a training would use, where none is asked for."""
    from space import Refusal

    if given:
        raise Refusal(f"--ablate is what {', '.join(given)} belong to, got none; add it")


def _seeds(given: int | None) -> int:
    from space import Refusal

    from .. import ablation

    found = USUAL_SEEDS if given is None else given
    if not 2 <= found <= ablation.MOST_SEEDS:
        raise Refusal(
            f"--seeds must be 2 to {ablation.MOST_SEEDS}, since a difference needs two, "
            f"got {found}"
        )
    return found


def _train(
    bench: "Bench", front: "Front", asked: tuple[str, int], *, yes: bool, quiet: bool
) -> int:
    """Train what is missing of a front member's ablations; return how many failed."""
    from space import Refusal
    from studies.export import picked
    from studies.store.extras import asked_for, known_extras

    from ..ablation import wanted_of
    from ..confirm.opening import forecast, refuse_long
    from ..confirm.session import train
    from ..extra_trainings import Task
    from ..options import in_words
    from ..reporting import make_console
    from ..resumable import resumable
    from ..training.data import ensure

    pick, seeds = asked
    architecture = picked(front, pick)[0].architecture
    if pick == "front" or architecture.is_plain:
        raise Refusal(
            f"--ablate must pick one network with attention, got {pick}"
            f"{' (plain)' if pick != 'front' else ''}; try best or row:2"
        )
    console, protocol = make_console(stderr=quiet), bench.config.protocol
    wanted = wanted_of(architecture, bench.config, seeds)
    planned = [Task(one, protocol) for one in known_extras(bench.study, wanted)]
    waiting = [one for one in planned if one.extra.state != "complete"]
    if not waiting:
        return 0
    seconds = forecast(bench, waiting)
    how_long = "unknown" if seconds is None else in_words(seconds)
    console.print(f"ablations: {len(waiting)} trainings, forecast: {how_long}", markup=False)
    refuse_long(seconds, yes=yes)
    ensure(protocol.dataset, bench.data_dir, console.print)
    with resumable(bench.study, console.print) as stopped:
        tasks = [Task(one, protocol) for one in asked_for(bench.study, wanted)]
        return train(bench, tasks, console, stopped)
