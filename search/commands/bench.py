"""`search bench`: what this machine can do, in under two minutes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from .. import options

if TYPE_CHECKING:
    from ..config import StudyConfig
    from ..speeds import Speeds, Study


def bench(
    backbone: options.Backbone = None,
    device: options.Device = "auto",
    workers: Annotated[
        str, typer.Option(help="Workers of the study: a number, or auto (one for each core, GPU).")
    ] = "auto",
    trials: Annotated[int, typer.Option(help="Trainings of the study.")] = 200,
    max_time: Annotated[str, typer.Option(help="Measure for about so long.")] = "75s",
    output: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
) -> None:
    """Measure images/s with and without attention, and say how long a study would take."""
    from space import Refusal

    from ..bench_table import FORMATS
    from ..interruption import ended_at_once
    from ..speeds import study_of

    if output not in FORMATS:
        raise Refusal(f"--format must be one of {', '.join(FORMATS)}, got {output}")
    if trials < 1:
        raise Refusal(f"--trials must be at least 1, got {trials}")
    num_workers, seconds = options.num_workers(workers), options.duration(max_time)
    assert seconds is not None, "it has a default"
    given = {"--backbone": backbone, "--device": device, "--workers": workers}
    words = [f" {name} {value}" for name, value in given.items() if value not in (None, "auto")]
    command = f"search run --trials {trials}{''.join(words)}"
    with ended_at_once("ended by Ctrl-C before all was measured"):
        speeds, config = _measured(device, backbone, seconds)
    study = study_of(speeds, config, trials, num_workers=num_workers, command=command)
    _print(speeds, study, as_json=output == "json")


def _measured(wanted: str, backbone: str | None, seconds: float) -> tuple["Speeds", "StudyConfig"]:
    """Return what a worker such as a study has does here, and the study's config."""
    from .. import rounds
    from ..config import config_of
    from ..defaults import with_defaults
    from ..executors import LocalExecutor
    from ..executors.environments import worker_environments
    from ..training.device import resolve_device

    device = resolve_device(wanted)
    given = {} if backbone is None else {"backbone": backbone}
    config = config_of(with_defaults(given, device.name, device.precision))
    environments = worker_environments(device.name, device.count, 1)
    with _progress(device.name, seconds) as show:
        executor = LocalExecutor(rounds.TRAINER, environments)
        try:
            from ..training.bench import machine_of, matrix_rate  # while the worker starts, too

            speeds = rounds.measured(
                executor,
                config,
                machine_of(device),
                max_seconds=seconds,
                matrix_rate=lambda: matrix_rate(device.name, device.precision),
                show=show,
            )
        finally:
            executor.close()
    return speeds, config


@contextmanager
def _progress(device: str, seconds: float) -> Iterator[Callable[[str], None]]:
    """Show on stderr what is being measured, and how much of the time is gone."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    console.print(f"measuring on {device} for about {options.in_words(seconds)}")
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("start", total=seconds)

        def show(what: str) -> None:
            gone = progress.tasks[0].elapsed or 0.0
            progress.update(task, description=what, completed=gone)

        yield show


def _print(speeds: "Speeds", study: "Study", *, as_json: bool) -> None:
    from .. import bench_table
    from ..reporting import make_console

    if as_json:
        typer.echo(bench_table.as_json(speeds, study))
        return
    console = make_console()
    console.print(bench_table.opening(speeds), soft_wrap=True, markup=False)
    console.print(bench_table.backbones_table(speeds))
    console.print(bench_table.mechanisms_table(speeds))
    for line in bench_table.closing(speeds, study):
        console.print(line, soft_wrap=True, markup=False)
