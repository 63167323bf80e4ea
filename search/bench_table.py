"""What `search bench` measured, on the screen and as JSON."""

import json
from dataclasses import asdict

from rich.table import Table

from space import cost, count_in_words, placements_in_words, share_in_words

from .options import in_words
from .speeds import Speeds, Study, Timing

FORMATS = ("table", "json")
UNITS = {"cpu": "cores", "cuda": "GPUs"}


def backbones_table(speeds: Speeds) -> Table:
    """Return the plain networks, from small to large."""
    title = f"Plain networks: medians of n = {len(speeds.plain.seconds)}"
    columns = ("backbone", "MACs", "batch", "images/s", "share of limit")
    table = _table(title, columns)
    for one in speeds.backbones:
        macs, batch = count_in_words(cost(one.architecture).macs), str(one.batch_size)
        table.add_row(one.name, macs, batch, _speed(one), _percent(speeds.share(one)))
    return table


def mechanisms_table(speeds: Speeds) -> Table:
    """Return plain and each mechanism, the quickest first."""
    plain = speeds.plain
    title = (
        f"{plain.name} with each mechanism as published, batch {plain.batch_size}: "
        f"medians of n = {len(plain.seconds)}"
    )
    columns = ("mechanism", "time", "MACs", "images/s", "share of limit")
    table = _table(title, columns)
    for one in sorted((plain, *speeds.mechanisms), key=lambda timing: timing.ratio(plain)):
        macs = share_in_words(cost(one.architecture).macs, cost(plain.architecture).macs)
        table.add_row(
            placements_in_words(one.architecture),
            f"{one.ratio(plain):.2f}x",
            macs,
            _speed(one),
            _percent(speeds.share(one)),
        )
    return table


def opening(speeds: Speeds) -> str:
    """Return the machine and its limit."""
    machine = speeds.machine
    return (
        f"{machine.name}, {machine.num_units} {UNITS[machine.device]}, torch {machine.torch}; one "
        f"worker: {machine.precision} on {machine.device}, one thread, matrix products at "
        f"{_flop_rate(speeds)}"
    )


def closing(speeds: Speeds, study: Study) -> list[str]:
    """Return the lines below the tables: what a share is, the random architectures, the study."""
    found = speeds.mean_ratio()
    lines = [
        f"share of limit: 6 FLOP x MACs x images/s over {_flop_rate(speeds)}",
        f"random architectures: {found.mean:.2f} ± {found.error:.2f} times the time of plain "
        f"{speeds.plain.name} (mean and standard error of {found.num_architectures})",
        study_line(speeds, study),
    ]
    if speeds.out_of_memory:
        lines.insert(0, f"out of memory: {', '.join(speeds.out_of_memory)}")
    return lines


def study_line(speeds: Speeds, study: Study) -> str:
    """Return how long the study would take, and what would take so long."""
    protocol, machine = study.config.protocol, speeds.machine
    units = f"{machine.num_units} {UNITS[machine.device]}"
    workers = f"{study.num_workers} worker{'s' if study.num_workers > 1 else ''}"
    if study.num_workers > machine.num_units:
        workers += f" (no faster than one on each of {units})"
    elif machine.device == "cuda":
        workers += " (`search run` tries several on one GPU, which may be faster)"
    return (
        f"{study.command}: {study.config.backbone}, {protocol.epochs} epochs of "
        f"{protocol.train_images:,} images, {workers}: about {in_words(study.seconds)}"
    )


def as_json(speeds: Speeds, study: Study) -> str:
    """Return all that was measured, every round of it, and the forecast."""
    drawn = [_mechanism(speeds, one) for one in speeds.drawn]
    document = {
        "machine": asdict(speeds.machine),
        "matrix_flop_per_second": speeds.matrix_rate,
        "backbones": [_network(speeds, one) for one in speeds.backbones],
        "plain": _network(speeds, speeds.plain),
        "mechanisms": [_mechanism(speeds, one) for one in speeds.mechanisms],
        "random_architectures": {"seconds_ratio": asdict(speeds.mean_ratio()), "drawn": drawn},
        "out_of_memory": speeds.out_of_memory,
        "study": {
            "command": study.command,
            "backbone": study.config.backbone,
            "epochs": study.config.protocol.epochs,
            "train_images": study.config.protocol.train_images,
            "num_trials": study.num_trials,
            "num_workers": study.num_workers,
            "seconds": study.seconds,
        },
    }
    return json.dumps(document, indent=2)


def _network(speeds: Speeds, one: Timing) -> dict[str, object]:
    return {
        "name": one.name,
        "macs": cost(one.architecture).macs,
        "batch_size": one.batch_size,
        "images_per_second": one.images_per_second,
        "share_of_limit": speeds.share(one),
        "num_rounds": len(one.seconds),
        "step_seconds": one.seconds,
    }


def _mechanism(speeds: Speeds, one: Timing) -> dict[str, object]:
    ratio = {"seconds_ratio": one.ratio(speeds.plain)}
    return {**_network(speeds, one), "placements": placements_in_words(one.architecture), **ratio}


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        left = column == columns[0]
        table.add_column(column, justify="left" if left else "right", no_wrap=not left)
    return table


def _speed(one: Timing) -> str:
    return f"{one.images_per_second:,.{0 if one.images_per_second >= 100 else 1}f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _flop_rate(speeds: Speeds) -> str:
    return f"{count_in_words(speeds.matrix_rate)}FLOP/s"
