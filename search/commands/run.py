"""`search run`: make or go on with a study."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from .. import options

if TYPE_CHECKING:
    from ..listener import Listener
    from ..session import Plan, Result

EXIT_CODES = {"total": 0, "interrupted": 130, "time": 130, "failures": 1, "refusals": 1}
ENDINGS = {
    "interrupted": "ended by Ctrl-C",
    "time": "ended by --max-time",
    "failures": "ended: 5 trainings in a row failed; `search status` shows their reasons",
    "refusals": "ended: 100 proposals in a row cost more than the budget; raise --budget",
}


def run(
    trials: Annotated[int, typer.Option(help="Trainings in all, replicates included.")] = 200,
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    dataset: options.Dataset = None,
    data_dir: options.DataDir = None,
    train_images: options.TrainImages = None,
    backbone: options.Backbone = None,
    epochs: options.Epochs = None,
    seed: options.Seed = None,
    device: options.Device = "auto",
    workers: Annotated[
        str, typer.Option(help="Worker processes: a number, or auto (what the machine feeds).")
    ] = "auto",
    cost: options.Cost = None,
    sampler: Annotated[str | None, typer.Option(help="tpe, tpe-group, nsga2 or random.")] = None,
    budget: Annotated[
        float | None, typer.Option(help="Most cost over the plain network's, say 1.2.")
    ] = None,
    learning_rate: options.LearningRate = None,
    weight_decay: options.WeightDecay = None,
    batch_size: options.BatchSize = None,
    max_time: Annotated[str | None, typer.Option(help="End after a time such as 2h.")] = None,
    baselines: Annotated[
        bool | None, typer.Option(help="Try each mechanism in its usual place first.")
    ] = None,
    references: Annotated[
        bool | None, typer.Option(help="Train plain networks of other depths to compare.")
    ] = None,
) -> None:
    """Search: train placements of attention, and keep the front of accuracy against cost.

    A study that exists goes on: its own settings stand, and --trials is its new total.
    """
    from ..conclusion import resume_command
    from ..session import run_session

    given = {
        "dataset": dataset,
        "train_images": train_images,
        "backbone": backbone,
        "epochs": epochs,
        "seed": seed,
        "cost": options.cost_name(cost),
        "sampler": sampler,
        "budget": budget,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "batch_size": batch_size,
        "baselines": baselines,
        "references": references,
    }
    plan = _plan(
        {name: value for name, value in given.items() if value is not None},
        (storage, study),
        device=device,
        workers=workers,
        limits=(trials, options.duration(max_time)),
        data_dir=data_dir,
    )
    try:
        result = run_session(plan, typer.echo, lambda done: _display(plan, done))
    except KeyboardInterrupt as error:
        typer.echo(f"ended at once; go on: {resume_command(plan)}")
        raise typer.Exit(130) from error
    _conclude(plan, result)
    raise typer.Exit(EXIT_CODES[result.ending])


def _plan(
    given: dict[str, object],
    where: tuple[str, str],
    *,
    device: str,
    workers: str,
    limits: tuple[int, float | None],
    data_dir: options.DataDir,
) -> "Plan":
    """Check everything that can be checked before a worker starts."""
    from space import Refusal

    from ..driver import Limits
    from ..executors.environments import worker_environments
    from ..session import Plan, resolve_config
    from ..training.data import ensure
    from ..training.device import resolve_device

    if limits[0] < 1:
        raise Refusal(f"--trials must be at least 1, got {limits[0]}")
    wanted = options.num_workers(workers)
    if data_dir is not None and data_dir.is_file():
        raise Refusal(f"--data-dir must be a folder, got the file {data_dir}")
    found = resolve_device(device)
    config = resolve_config(given, *where, device=found.name, precision=found.precision)
    ensure(config.protocol.dataset, data_dir, typer.echo)
    environments = worker_environments(found.name, found.count, wanted)[: limits[0]]
    finds = wanted is None and found.name == "cuda"
    plan = Plan(config, *where, Limits(*limits), found.name, environments, data_dir, finds)
    _say_choice(plan)
    return plan


def _say_choice(plan: "Plan") -> None:
    protocol = plan.config.protocol
    workers = "workers by probe" if plan.finds_workers else f"{len(plan.environments)} workers"
    typer.echo(
        f"study {plan.study} in {plan.url}: {plan.config.backbone} on {protocol.dataset}, "
        f"{protocol.train_images} images, {protocol.epochs} epochs, batch {protocol.batch_size}, "
        f"{protocol.precision} on {plan.device}, {workers}, "
        f"sampler {plan.config.sampler}, cost {plan.config.cost}"
    )


def _display(plan: "Plan", done: int) -> AbstractContextManager["Listener"]:
    from ..display import Display
    from ..reporting import make_console

    display = Display(make_console(), plan.config, num_trials=plan.limits.num_trials, done=done)
    return display.shown()


def _conclude(plan: "Plan", result: "Result") -> None:
    """Print the front, where everything is, and what to do next."""
    from ..conclusion import conclude

    if result.ending != "total":
        typer.echo(ENDINGS[result.ending])
    conclude(plan, result)
