"""The command line's options, each written once; every command that takes one shares it."""

import re
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_STORAGE = "sqlite:///study.db"
DEFAULT_STUDY = "attention"

Storage = Annotated[str, typer.Option(help="Study database, sqlite:///FILE.")]
Study = Annotated[str, typer.Option(help="Name of the study in the database.")]
Dataset = Annotated[
    str | None, typer.Option(help="cifar10 or cifar10-sample (5,000 images, for trying out).")
]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the data; this user's cache.")]
TrainImages = Annotated[int | None, typer.Option(help="Train on the first N images, balanced.")]
Backbone = Annotated[str | None, typer.Option(help="resnet20, resnet18, ... (see the README).")]
Epochs = Annotated[int | None, typer.Option(help="Epochs of one training.")]
Seed = Annotated[int | None, typer.Option(help="Seed of everything but the data's split.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
LearningRate = Annotated[float | None, typer.Option(help="Learning rate at its peak.")]
WeightDecay = Annotated[float | None, typer.Option(help="Decay of weights; not of norms, biases.")]
BatchSize = Annotated[int | None, typer.Option(help="Images of one step.")]
Cost = Annotated[str | None, typer.Option(help="macs (or flops, its other name) or params.")]
Out = Annotated[Path, typer.Option(help="File or folder to write.")]

MAX_WORKERS = 256  # each is a process with torch and the data in memory
SECONDS = {"h": 3600, "m": 60, "min": 60, "s": 1}


def cost_name(given: str | None) -> str | None:
    """Return the cost's stored name; fvcore's flop is one multiply-accumulate.

    Raises:
        Refusal: no such cost.
    """
    from space import Refusal  # here, so that --help loads nothing

    known = {None: None, "macs": "macs", "flops": "macs", "params": "params"}
    if given not in known:
        raise Refusal(f"--cost must be macs or params, got {given}")
    return known[given]


def num_workers(text: str) -> int | None:
    """Return the number of workers, or None for `auto`.

    Raises:
        Refusal: it is neither.
    """
    if text == "auto":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MAX_WORKERS:
        from space import Refusal

        raise Refusal(f"--workers must be auto or 1 to {MAX_WORKERS}, got {text}")
    return int(text)


def duration(text: str | None) -> float | None:
    """Return the seconds of `90s`, `30m`, `2h` or `1h30m`.

    Raises:
        Refusal: it is none of these, or zero.
    """
    if text is None:
        return None
    from space import Refusal

    parts = re.findall(r"(\d+(?:\.\d+)?)(h|min|m|s)", text)
    total = sum(float(number) * SECONDS[unit] for number, unit in parts)
    if total <= 0 or "".join(number + unit for number, unit in parts) != text:
        raise Refusal(f"--max-time must be a time such as 2h, 90m or 1h30m, got {text}")
    return total


def in_words(seconds: float) -> str:
    """Return a time as people say it: `45 s`, `12 min`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h"
