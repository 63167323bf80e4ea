"""`search run`: make or go on with a study."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import typer

from .. import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..driver import Limits
    from ..executors.cluster import Cluster
    from ..listener import Listener
    from ..machine import Machine
    from ..plan import Plan
    from ..session import Result

    FindMachine = Callable[[], tuple[Machine, Cluster | None]]

EXIT_CODES = {"total": 0, "interrupted": 130, "time": 130, "failures": 1, "refusals": 1}
ENDINGS = {
    "interrupted": "ended by Ctrl-C",
    "time": "ended by --max-time",
    "failures": "ended: 5 trainings in a row failed; `search status` shows their reasons",
    "refusals": "ended: 100 proposals in a row were refused, as over --max-macs or --max-params; "
    "name another --study with more",
}


def run(
    trials: options.Trials = 200,
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    max_time: options.MaxTime = None,
    trial_timeout: options.TrialTimeout = None,
    backbone: options.Backbone = None,
    seed: options.Seed = None,
    protocol: options.ProtocolFile = None,
    dataset: options.Dataset = None,
    train_images: options.TrainImages = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    learning_rate: options.LearningRate = None,
    weight_decay: options.WeightDecay = None,
    averaging: options.Averaging = None,
    curve_images: options.CurveImages = None,
    cost: options.Cost = None,
    max_macs: options.MaxMacs = None,
    max_params: options.MaxParams = None,
    kinds: options.Kinds = None,
    sampler: options.Sampler = None,
    baselines: options.Baselines = None,
    references: options.References = None,
    early_stop: options.EarlyStop = None,
    audit: options.Audit = None,
    replicates: options.Replicates = None,
    data_dir: options.DataDir = None,
    device: options.Device = "auto",
    workers: options.Workers = "auto",
    executor: options.ExecutorName = "local",
    address: options.Address = None,
    gpus_per_trial: options.GpusPerTrial = None,
) -> None:
    """Search: train placements of attention, and keep the front of accuracy against cost.

    A study that exists goes on: its own settings stand, and --trials is its new total.
    """
    from ..driver import Limits
    from ..next_commands import resume_command
    from ..protocol_file import with_protocol
    from ..session import run_session

    given = {
        "backbone": backbone,
        "seed": seed,
        "dataset": dataset,
        "train_images": train_images,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "averaging": averaging,
        "curve_images": curve_images,
        "cost": options.cost_name(cost),
        "max_macs": max_macs,
        "max_params": max_params,
        "kinds": options.kind_names(kinds),
        "sampler": sampler,
        "baselines": baselines,
        "references": references,
        "early_stop": early_stop,
        "audit": audit,
        "replicates": replicates,
    }
    plan = _plan(
        with_protocol(protocol, {key: one for key, one in given.items() if one is not None}),
        (storage, study),
        find=lambda: _machine(device, workers, (executor, address, gpus_per_trial)),
        limits=Limits(
            trials,
            options.duration(max_time),
            options.duration(trial_timeout, "--trial-timeout"),
        ),
        data_dir=data_dir,
    )
    try:
        result = run_session(plan, typer.echo, lambda done: _display(plan, done))
    except KeyboardInterrupt as error:
        typer.echo(f"ended at once; go on: {resume_command(plan)}")
        raise typer.Exit(130) from error
    _conclude(plan, result)
    raise typer.Exit(EXIT_CODES[result.ending])


def _machine(
    device: str, workers: str, where: tuple[str, str | None, float | None]
) -> tuple["Machine", "Cluster | None"]:
    """Find what trains: the workers of this machine or of a cluster."""
    from ..executors.cluster import cluster_of
    from ..machine import find_machine

    num_workers = options.num_workers(workers)
    cluster = cluster_of(*where, num_workers)
    return find_machine(device, num_workers, cluster), cluster


def _plan(
    given: dict[str, object],
    where: tuple[str, str],
    *,
    find: "FindMachine",
    limits: "Limits",
    data_dir: options.DataDir,
) -> "Plan":
    """Check everything that can be checked before a worker starts."""
    from space import Refusal

    from ..plan import Plan
    from ..session import resolve_config

    if limits.num_trials < 1:
        raise Refusal(f"--trials must be at least 1, got {limits.num_trials}")
    if data_dir is not None and data_dir.is_file():
        raise Refusal(f"--data-dir must be a folder, got the file {data_dir}")
    found, cluster = find()
    config = resolve_config(given, *where, device=found.device, precision=found.precision)
    found.ensure(config.protocol.dataset, data_dir, typer.echo)
    plan = Plan(
        config,
        *where,
        limits,
        found.device,
        found.environments[: limits.num_trials],
        data_dir,
        finds_workers=found.finds_workers,
        hardware=found.hardware,
        cluster=cluster,
        share=found.share,
    )
    _say_choice(plan)
    return plan


def _say_choice(plan: "Plan") -> None:
    from ..budgets import limits_in_words, num_baselines_over

    config, protocol = plan.config, plan.config.protocol
    limits = f", {limits_in_words(config.limits)}" if config.limits else ""
    over = num_baselines_over(config.search_space, config.limits) if config.baselines else 0
    if over:
        limits += f", {over} baseline{'' if over == 1 else 's'} over the budget left out"
    workers = "workers by probe" if plan.finds_workers else f"{len(plan.environments)} workers"
    workers += f" on Ray ({plan.hardware})" if plan.cluster else ""
    typer.echo(
        f"study {plan.study} in {plan.url}: {plan.config.backbone} on {protocol.dataset}, "
        f"{protocol.train_images} images, {protocol.epochs} epochs, batch {protocol.batch_size}, "
        f"{protocol.precision} on {plan.device}, {workers}, "
        f"sampler {plan.config.sampler}, cost {plan.config.cost}{limits}"
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
