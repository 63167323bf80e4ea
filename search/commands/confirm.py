"""`search confirm`: is the front true? Fresh seeds, controls, and the test images, once."""

from typing import TYPE_CHECKING, Annotated

import typer

from .. import options

if TYPE_CHECKING:
    from rich.console import Console

    from studies.confirmation.comparison import Confirmation

    from ..confirm.choice import Question
    from ..confirm.session import Bench

FORMATS = ("table", "json")
MOST_TOP = 20
USUAL_SEEDS = 5


def confirm(
    storage: options.Storage = options.DEFAULT_STORAGE,
    study: options.Study = options.DEFAULT_STUDY,
    top: Annotated[int, typer.Option(help="Finalists: the recommended row and more.")] = 4,
    seeds: Annotated[
        int | None, typer.Option(help="Trainings of each; plain gets three times. 5.")
    ] = None,
    resolve: Annotated[
        float | None, typer.Option(help="As many seeds as tell so many points from none.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Of one training; three times the study's.")
    ] = None,
    train_images: Annotated[
        int | None, typer.Option(help="Training and validation images together.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read the test images anew.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Begin, even for over an hour.")] = False,
    output: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
    data_dir: options.DataDir = None,
    device: options.Device = "auto",
    workers: options.Workers = "auto",
) -> None:
    """Train finalists anew beside controls, then read the test images once for each model.

    What it takes and what it can tell is said first. Trainings and readings are stored: the same
    command goes on, or shows the result.
    """
    from space import Refusal
    from studies.confirmation.stored import confirmed, is_done, stored_confirmation

    from ..confirm import table
    from ..confirm.choice import Question, confirmation_of
    from ..confirm.opening import opening_lines, refuse_long, resolved
    from ..confirm.session import bench_of
    from ..opened import open_front
    from ..reporting import make_console

    num_seeds = USUAL_SEEDS if seeds is None else seeds
    _refuse_numbers(top, num_seeds, resolve, output)
    if seeds is not None and resolve is not None:
        raise Refusal(f"--resolve chooses the seeds, got --seeds {seeds} too; leave out one")
    front, opened = open_front(storage, study, None)
    bench = bench_of(opened, device, options.num_workers(workers), data_dir)
    question = Question(top, num_seeds, epochs, train_images)
    if resolve is not None:
        question = resolved(front, bench.config, question, resolve)
    plan = confirmation_of(front, bench.config, question)
    console = make_console(stderr=output == "json")
    if again or not is_done(bench.study, plan):
        lines, seconds = opening_lines(front, bench, question, plan)
        for line in lines:
            console.print(line, soft_wrap=True, markup=False)
        refuse_long(seconds, yes=yes)
        plan = _done(bench, question, plan, console, again=again)
    else:
        plan = stored_confirmation(opened, plan)  # with what was claimed then
    found, ratios = confirmed(bench.study, plan, front.noise), _ratios(bench, plan)
    if output == "json":
        typer.echo(table.confirm_json(found, ratios))
    else:
        title = f"Confirmation of study {study}"
        console.print(table.confirm_table(found, ratios, title, console.width))
        for line in table.closing(found):
            console.print(line, soft_wrap=True, markup=False)
    if any(one.num_failed or one.num_fresh_failed for one in found.arms):
        raise typer.Exit(1)


def _refuse_numbers(top: int, seeds: int, resolve: float | None, output: str) -> None:
    from space import Refusal
    from studies.confirmation.comparison import MOST_SEEDS

    if not 1 <= top <= MOST_TOP:
        raise Refusal(f"--top must be 1 to {MOST_TOP}, got {top}")
    if not 2 <= seeds <= MOST_SEEDS:
        raise Refusal(
            f"--seeds must be 2 to {MOST_SEEDS}, since an interval needs two, got {seeds}"
        )
    if resolve is not None and not 0 < resolve < 100:
        raise Refusal(f"--resolve must be points above 0 and below 100, got {resolve}")
    if output not in FORMATS:
        raise Refusal(f"--format must be one of {', '.join(FORMATS)}, got {output}")


def _done(
    bench: "Bench", question: "Question", plan: "Confirmation", console: "Console", *, again: bool
) -> "Confirmation":
    """Train and read what is missing, alone with the study; return the plan as it is stored."""
    from studies.confirmation.stored import stored_confirmation, trainings_of

    from ..confirm.session import read_models, tasks_of, train
    from ..resumable import resumable
    from ..training.data import ensure
    from ..training.testing import reader

    def say(line: str) -> None:
        console.print(line, soft_wrap=True, markup=False)

    ensure(bench.config.protocol.dataset, bench.data_dir, say)
    with resumable(bench.study, say) as stopped:
        plan = stored_confirmation(bench.study, plan)
        train(bench, tasks_of(bench, question, trainings_of(bench.study, plan)), console, stopped)
        if not stopped():
            read = reader(bench.config.protocol, bench.data_dir, bench.device)
            read_models(bench, plan, read, say, again=again)
    return plan


def _ratios(bench: "Bench", plan: "Confirmation") -> tuple[float, ...]:
    """Return the time of each arm's forward pass over plain's, measured once."""
    from studies.confirmation.stored import latency_ratios, store_latency_ratios

    known = latency_ratios(bench.study, plan)
    if known is None:
        from ..training.latency import latency_ratios as measured

        known = tuple(measured([one.architecture for one in plan.arms], bench.device))
        store_latency_ratios(bench.study, plan, known)
    return known
