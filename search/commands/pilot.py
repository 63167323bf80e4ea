"""`search pilot`: what can a protocol see? Measured before a study spends."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import options

if TYPE_CHECKING:
    from ..pilot.session import Trained
    from ..pilot.workers import Pilot

AVERAGING = 0.1  # of the weights; the accuracy without it comes from the same trainings
CURVE_SHARE = 20  # validation in epochs that the pilot does not read: a 20th of the images


def pilot(
    budget: Annotated[str, typer.Option(help="Time of the pilot, such as 10m or 1h.")],
    backbone: options.Backbone = None,
    dataset: options.Dataset = None,
    data_dir: options.DataDir = None,
    device: options.Device = "auto",
    workers: Annotated[
        str, typer.Option(help="Worker processes: a number, or auto (what the machine feeds).")
    ] = "auto",
    out: options.Out = Path("protocol.yaml"),
    seed: options.Seed = None,
    batch_size: options.BatchSize = None,
) -> None:
    """Measure what trainings of several lengths can tell apart, and recommend a protocol.

    Finished trainings are kept beside --out; the same command goes on where it was ended.
    """
    from ..folder_for import folder_for
    from ..pilot.session import run_pilot

    given = {"backbone": backbone, "dataset": dataset, "seed": seed, "batch_size": batch_size}
    values = {name: value for name, value in given.items() if value is not None}
    plan = _plan(values, (device, workers), budget, data_dir, out)
    try:
        with folder_for(out.parent):
            trained = run_pilot(plan)
    except KeyboardInterrupt as error:
        typer.echo("ended at once; the same command goes on")
        raise typer.Exit(130) from error
    if trained is None:
        typer.echo("ended by Ctrl-C; the same command goes on")
        raise typer.Exit(130)
    _conclude(plan, trained)


def _plan(
    given: Mapping[str, object],
    machine: tuple[str, str],
    budget: str,
    data_dir: Path | None,
    out: Path,
) -> "Pilot":
    """Check everything that can be checked before a worker starts."""
    from space.files import suffix_of

    from ..config import NUM_VALIDATION, config_of
    from ..defaults import with_defaults
    from ..executors.environments import worker_environments
    from ..pilot.workers import Pilot
    from ..training.data import ensure
    from ..training.device import resolve_device

    seconds, wanted = options.duration(budget, "--budget"), options.num_workers(machine[1])
    assert seconds is not None, "an option without a default"
    suffix_of(out)
    found = resolve_device(machine[0])
    few = NUM_VALIDATION.get(str(given.get("dataset", "cifar10")), 0) // CURVE_SHARE or None
    settings = {"averaging": AVERAGING, "curve_images": few, **given}
    config = config_of(with_defaults(settings, found.name, found.precision))
    ensure(config.protocol.dataset, data_dir, typer.echo)
    environments = worker_environments(found.name, found.count, wanted)
    finds = wanted is None and found.name == "cuda"
    typer.echo(
        f"pilot: {config.backbone} on {config.protocol.dataset}, batch "
        f"{config.protocol.batch_size}, {config.protocol.precision} on {found.name}, for about "
        f"{options.in_words(seconds)}"
    )
    return Pilot(config, found.name, environments, seconds, out, typer.echo, data_dir, finds)


def _conclude(plan: "Pilot", trained: "Trained") -> None:
    """Print what was found, and write the protocol."""
    from space import Refusal

    from ..pilot import facts, table
    from ..pilot.choice import best, chosen_protocol, study_seconds
    from ..protocol_file import write_protocol
    from ..reporting import make_console

    found = facts.rows(trained.finished)
    if not found:
        raise Refusal(
            f"a pilot needs two trainings of a network, got {len(trained.finished)} in all; "
            "run it again, with a longer --budget"
        )
    row = best(found)
    few = facts.sizes(trained.finished, row)
    protocol = chosen_protocol(plan.config.protocol, row, few)
    alike = [
        one
        for one in trained.finished
        if (one.epochs, one.train_images) == (row.epochs, row.train_images)
    ]
    seconds = study_seconds(protocol, trained.pace, alike, table.STUDY)
    console = make_console()
    console.print(table.table(found, row))
    for line in table.closing(row, few, protocol, seconds):
        console.print(line, soft_wrap=True, markup=False)
    machine = {
        "device": plan.device,
        "num_workers": trained.pace.num_workers,
        "images_per_second": dict(trained.pace.images_per_second),
        "budget_seconds": plan.budget,
        "num_trainings": len(trained.finished),
    }
    told = table.evidence(found, row, few, machine)
    write_protocol(plan.out, protocol, told, backbone=plan.config.backbone)
    typer.echo(f"protocol: {plan.out}; use it: search run --protocol {plan.out}")
