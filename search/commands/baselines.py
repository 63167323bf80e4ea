"""`search baselines`: the tutorials' table, measured: mechanisms in their usual places."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import options

if TYPE_CHECKING:
    from rich.console import Console

    from space import Architecture

    from ..baselines import Row
    from ..config import StudyConfig
    from ..confirm.session import Bench

MOST_SEEDS = 50
REASON = "search baselines"  # in the ledger of the test images


def baselines(
    storage: options.Storage = "sqlite:///baselines.db",
    study: options.Study = "baselines",
    backbone: options.Backbone = None,
    seeds: Annotated[int, typer.Option(help="Trainings of each network.")] = 3,
    kinds: Annotated[
        str | None, typer.Option(help="Mechanisms to compare; the tutorials' six.")
    ] = None,
    file: Annotated[
        list[Path] | None, typer.Option(help="An architecture beside them; may be repeated.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="study, or tutorial: Adam 1e-3, no augmentation.")
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Train on validation images too; read the test.")
    ] = False,
    output: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
    seed: options.Seed = None,
    dataset: options.Dataset = None,
    train_images: options.TrainImages = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    learning_rate: options.LearningRate = None,
    weight_decay: options.WeightDecay = None,
    data_dir: options.DataDir = None,
    device: options.Device = "auto",
    workers: options.Workers = "auto",
) -> None:
    """Train the plain network and mechanisms in their usual places; compare with intervals.

    Every training is stored when it ends: the same command goes on, or shows the result.
    """
    from studies import create_or_open

    from .. import baselines_table
    from ..baselines import RECIPES, TUTORIALS, compared
    from ..config import NUM_VALIDATION
    from ..confirm.session import bench_at
    from ..reporting import make_console

    _refuse(seeds, recipe, output)
    given = {
        "backbone": backbone,
        "seed": seed,
        "dataset": dataset,
        "train_images": train_images,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
    }
    own = {name: one for name, one in given.items() if one is not None}
    console = make_console(stderr=output == "json")
    values = {**RECIPES.get(recipe or "", {}), **own}
    config = _settled(values, (storage, study), device)
    chosen = options.kind_names(kinds) or TUTORIALS
    networks = compared(config.search_space, chosen, file or [])
    opened = create_or_open(storage, study, config.settings())
    bench = bench_at(opened, config, device, options.num_workers(workers), data_dir)
    found = (_tested if confirm else _validated)(bench, networks, seeds, console)
    protocol = bench.config.protocol
    num_images = protocol.train_images + confirm * NUM_VALIDATION[protocol.dataset]
    if output == "json":
        facts = {"protocol": protocol.model_dump(mode="json"), "is_test": confirm}
        facts["num_images"] = num_images
        typer.echo(baselines_table.as_json(found, facts))
    else:
        title = (
            f"{bench.config.backbone} on {protocol.dataset}: {protocol.epochs} epochs, "
            f"{num_images} images{' (validation among them)' if confirm else ''}, "
            f"recipe {protocol.recipe}"
        )
        measured = "test" if confirm else "validation"
        console.print(baselines_table.table(found, title, measured, console.width))
        for line in baselines_table.closing(found):
            console.print(line, soft_wrap=True, markup=False)
    if any(one.num_failed for one in found):
        raise typer.Exit(1)


def _refuse(seeds: int, recipe: str | None, output: str) -> None:
    from space import Refusal

    from ..baselines import RECIPES
    from ..baselines_table import FORMATS

    if not 1 <= seeds <= MOST_SEEDS:
        raise Refusal(f"--seeds must be 1 to {MOST_SEEDS}, got {seeds}")
    if recipe is not None and recipe not in RECIPES:
        raise Refusal(f"--recipe must be study or tutorial, got {recipe}")
    if output not in FORMATS:
        raise Refusal(f"--format must be one of {', '.join(FORMATS)}, got {output}")


def _settled(values: Mapping[str, object], where: tuple[str, str], device: str) -> "StudyConfig":
    """Return the settings of the study that keeps the trainings."""
    from ..session import resolve_config
    from ..training.device import resolve_device

    found = resolve_device(device)
    return resolve_config(values, *where, device=found.name, precision=found.precision)


def _validated(
    bench: "Bench", networks: Mapping[str, "Architecture"], seeds: int, console: "Console"
) -> "Sequence[Row]":
    """Train what is missing; return what the validation images say."""
    from studies.store.extras import asked_for, known_extras

    from ..baselines import rows, wanted_of
    from ..confirm.session import train
    from ..extra_trainings import Task
    from ..resumable import resumable
    from ..training.data import ensure

    wanted = wanted_of(networks, bench.config, seeds)
    if any(one.state != "complete" for one in known_extras(bench.study, wanted)):
        ensure(bench.config.protocol.dataset, bench.data_dir, console.print)
        with resumable(bench.study, console.print) as stopped:
            tasks = [Task(one, bench.config.protocol) for one in asked_for(bench.study, wanted)]
            train(bench, tasks, console, stopped)
    done = known_extras(bench.study, wanted)
    return rows(networks, done, bench.config.protocol.epochs, lambda one: one.accuracy)


def _tested(
    bench: "Bench", networks: Mapping[str, "Architecture"], seeds: int, console: "Console"
) -> "Sequence[Row]":
    """Train what is missing on validation images too, then read the test once for each model."""
    from studies.confirmation.ledger import readings
    from studies.confirmation.stored import (
        is_done,
        known_trainings,
        stored_confirmation,
        trainings_of,
    )

    from ..baselines import confirmation_of, rows
    from ..confirm.session import read_models, train, weights_of
    from ..extra_trainings import Task
    from ..resumable import resumable
    from ..training.data import ensure
    from ..training.testing import reader

    plan, protocol = confirmation_of(networks, bench.config, seeds), bench.config.protocol
    if not is_done(bench.study, plan):
        ensure(protocol.dataset, bench.data_dir, console.print)
        with resumable(bench.study, console.print) as stopped:
            stored_confirmation(bench.study, plan)
            tasks = [
                Task(one, protocol, with_validation=True, save=weights_of(bench.study, one))
                for one in trainings_of(bench.study, plan).confirm
            ]
            train(bench, tasks, console, stopped)
            if not stopped():
                read = reader(protocol, bench.data_dir, bench.device)
                read_models(bench, plan, read, console.print, again=False, reason=REASON)
    tested = {one.extra_id: one.accuracy for one in readings(bench.study)}
    done = known_trainings(bench.study, plan).confirm
    return rows(networks, done, protocol.epochs, lambda one: tested.get(one.id))
