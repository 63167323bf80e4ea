"""What stands beside a benchmark's figures: n, an interval, the machine and the command."""

import json
import os
import platform
import shlex
import sys
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import inf, nan
from pathlib import Path

import numpy as np
import torch
from rich.console import Console, RenderableType

from search.training.device import cpu_name

NUM_RESAMPLES = 2_000
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Median:
    """A median and its 95 % bootstrap interval."""

    median: float
    low: float
    high: float
    num_measured: int

    def in_words(self, digits: int, scale: float = 1.0) -> str:
        """Return `1.23 (1.21–1.26)`, each multiplied by the scale."""
        shown = (f"{scale * one:,.{digits}f}" for one in (self.median, self.low, self.high))
        return "{} ({}–{})".format(*shown)


def median_of(measured: Sequence[float]) -> Median:
    """Return the median with the percentile interval of medians drawn with replacement."""
    values = np.asarray(measured, dtype=float)
    generator = np.random.default_rng(0)
    drawn = [np.median(generator.choice(values, values.size)) for _ in range(NUM_RESAMPLES)]
    low, high = np.quantile(drawn, INTERVAL)
    return Median(float(np.median(values)), float(low), float(high), values.size)


def parser_of(description: str | None) -> ArgumentParser:
    """Return a parser with the module's text and the option that all benchmarks have."""
    parser = ArgumentParser(description=description, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=writable, metavar="FILE", help="write the numbers as JSON")
    return parser


def positive(text: str) -> int:
    """Return the number of an option that counts something."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"must be a whole number of at least 1, got {text}")
    return int(text)


def positive_minutes(text: str) -> float:
    """Return the time of an option, in minutes."""
    try:
        minutes = float(text)
    except ValueError:
        minutes = nan
    if not 0 < minutes < inf:
        raise ArgumentTypeError(f"must be a number of minutes above 0, got {text}")
    return minutes


def publish(
    table: RenderableType, found: dict[str, object], out: Path | None, lines: Sequence[str] = ()
) -> None:
    """Print the table, the lines, the machine and the command; write the facts, if asked."""
    machine, console = _machine(), Console()
    hardware = ", ".join(f"{name} {value}" for name, value in machine.items())
    console.print(table)
    for line in (*lines, hardware, _command()):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    write({"command": _command(), "machine": machine, **found}, out)


def write(found: dict[str, object], out: Path | None) -> None:
    """Write the facts as JSON, if a file is named."""
    if out is not None:
        out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def writable(text: str) -> Path:
    """Refuse a file that cannot be written before the minutes it takes to fill it."""
    path = Path(text)
    if path.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise ArgumentTypeError(f"must be a file in a folder that can be written, got {text}")
    return path


def _command() -> str:
    name = Path(sys.argv[0]).stem
    return shlex.join(["python", "-m", f"benchmarks.{name}", *sys.argv[1:]])


def _machine() -> dict[str, object]:
    """Return the hardware and the versions by which figures are to be understood."""
    gpu = {"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
    packages = {name: version(name) for name in ("torch", "numpy", "fvcore")}
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        **gpu,
        "system": platform.system(),
        "python": platform.python_version(),
        **packages,
    }
