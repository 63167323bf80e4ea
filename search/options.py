"""The command line's options, each written once; every command that takes one shares it."""

import re
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_STORAGE = "sqlite:///study.db"
DEFAULT_STUDY = "attention"

# Panels of `--help`.
STUDY, PROTOCOL, SEARCH, MACHINE = "Study", "Protocol", "Search", "Machine"

Storage = Annotated[
    str,
    typer.Option(
        help="sqlite:///FILE, or postgresql://USER@HOST/NAME (docs/storage.md).",
        rich_help_panel=STUDY,
    ),
]
Study = Annotated[
    str, typer.Option(help="Name of the study in the database.", rich_help_panel=STUDY)
]
Trials = Annotated[
    int, typer.Option(help="Trainings in all, replicates included.", rich_help_panel=STUDY)
]
MaxTime = Annotated[
    str | None, typer.Option(help="End after a time such as 2h.", rich_help_panel=STUDY)
]
TrialTimeout = Annotated[
    str | None,
    typer.Option(help="Begin a training again that takes longer.", rich_help_panel=STUDY),
]
Backbone = Annotated[
    str | None,
    typer.Option(help="resnet20, resnet18, ... (see the README).", rich_help_panel=STUDY),
]
Seed = Annotated[
    int | None,
    typer.Option(help="Seed of everything but the data's split.", rich_help_panel=STUDY),
]

ProtocolFile = Annotated[
    Path | None,
    typer.Option(help="File of `search pilot`; options beside it win.", rich_help_panel=PROTOCOL),
]
Dataset = Annotated[
    str | None,
    typer.Option(
        help="cifar10 or cifar10-sample (5,000 images, for trying out).", rich_help_panel=PROTOCOL
    ),
]
TrainImages = Annotated[
    int | None,
    typer.Option(help="Train on the first N images, balanced.", rich_help_panel=PROTOCOL),
]
Epochs = Annotated[
    int | None, typer.Option(help="Epochs of one training.", rich_help_panel=PROTOCOL)
]
BatchSize = Annotated[
    int | None, typer.Option(help="Images of one step.", rich_help_panel=PROTOCOL)
]
LearningRate = Annotated[
    float | None, typer.Option(help="Learning rate at its peak.", rich_help_panel=PROTOCOL)
]
WeightDecay = Annotated[
    float | None,
    typer.Option(help="Decay of weights; not of norms, biases.", rich_help_panel=PROTOCOL),
]
Averaging = Annotated[
    float | None,
    typer.Option(
        help="Share of the steps so far whose weights are averaged.", rich_help_panel=PROTOCOL
    ),
]
CurveImages = Annotated[
    int | None,
    typer.Option(
        help="Validation images of the epochs before the last.", rich_help_panel=PROTOCOL
    ),
]

Cost = Annotated[
    str | None,
    typer.Option(help="macs (or flops, its other name) or params.", rich_help_panel=SEARCH),
]
MaxMacs = Annotated[
    str | None,
    typer.Option(help="Most MACs: 45M, or 1.1x the plain network's.", rich_help_panel=SEARCH),
]
MaxParams = Annotated[
    str | None,
    typer.Option(help="Most parameters: 0.4M, 400k or 1.5x.", rich_help_panel=SEARCH),
]
Kinds = Annotated[
    str | None,
    typer.Option(help="Mechanisms to choose among, as se,cbam,gam; all.", rich_help_panel=SEARCH),
]
Sampler = Annotated[
    str | None,
    typer.Option(help="known-cost, tpe, tpe-group, nsga2 or random.", rich_help_panel=SEARCH),
]
Baselines = Annotated[
    bool | None,
    typer.Option(help="Try each mechanism in its usual place first.", rich_help_panel=SEARCH),
]
References = Annotated[
    bool | None,
    typer.Option(help="Train plain networks of other depths to compare.", rich_help_panel=SEARCH),
]
EarlyStop = Annotated[
    bool | None,
    typer.Option(help="Stop trainings that cannot reach the front.", rich_help_panel=SEARCH),
]
Audit = Annotated[
    float | None,
    typer.Option(help="Share of the stops that is trained to the end.", rich_help_panel=SEARCH),
]
Replicates = Annotated[
    float | None,
    typer.Option(
        help="Share of trainings that repeat what decides the front.", rich_help_panel=SEARCH
    ),
]

DataDir = Annotated[
    Path | None,
    typer.Option(help="Folder of the data; this user's cache.", rich_help_panel=MACHINE),
]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.", rich_help_panel=MACHINE)]
Workers = Annotated[
    str,
    typer.Option(
        help="Workers: a number, or auto (what the machine or cluster feeds).",
        rich_help_panel=MACHINE,
    ),
]
ExecutorName = Annotated[
    str, typer.Option(help="local (processes here) or ray.", rich_help_panel=MACHINE)
]
Address = Annotated[
    str | None,
    typer.Option(help="Ray cluster: auto, local or HOST:PORT.", rich_help_panel=MACHINE),
]
GpusPerTrial = Annotated[
    float | None,
    typer.Option(help="Share of a GPU on Ray, above 0 to 1.", rich_help_panel=MACHINE),
]
Out = Annotated[Path, typer.Option(help="File or folder to write.")]

MAX_WORKERS = 256  # each is a process with torch and the data in memory
MAX_SECONDS = 365 * 24 * 3600
SECONDS = {"h": 3600, "m": 60, "min": 60, "s": 1}


def cost_name(given: str | None) -> str | None:
    """Return the cost's stored name; fvcore's flop is one multiply-accumulate.

    Raises:
        Refusal: no such cost.
    """
    from space import Refusal  # here, so that --help loads nothing

    known = {None: None, "macs": "macs", "flops": "macs", "params": "params"}
    if given not in known:
        raise Refusal(f"--cost must be macs or params, got {given or repr(given)}")
    return known[given]


def kind_names(text: str | None) -> list[str] | None:
    """Return the mechanisms that `cbam,se` names, in the order of their table.

    Raises:
        Refusal: there is no such mechanism, or it is named twice.
    """
    if text is None:
        return None
    from space import MECHANISMS, Refusal

    given = [name.strip() for name in text.split(",")]
    for name in given:
        if name not in MECHANISMS:
            raise Refusal(
                f"--kinds must be among {','.join(MECHANISMS)}, got {name or repr(text)}"
            )
        if given.count(name) > 1:
            raise Refusal(f"--kinds must each be named once, got {name} twice")
    return sorted(given, key=list(MECHANISMS).index)


def num_workers(text: str) -> int | None:
    """Return the number of workers, or None for `auto`.

    Raises:
        Refusal: it is neither.
    """
    if text == "auto":
        return None
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_WORKERS:
        from space import Refusal

        raise Refusal(f"--workers must be auto or 1 to {MAX_WORKERS}, got {text or repr(text)}")
    return int(text)


def duration(text: str | None, option: str = "--max-time") -> float | None:
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
        shown = text or repr(text)
        raise Refusal(f"{option} must be a time such as 2h, 90m or 1h30m, got {shown}")
    if total > MAX_SECONDS:
        raise Refusal(f"{option} must be at most a year, which is 8760h, got {text}")
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
