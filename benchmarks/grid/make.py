"""Train the grid: every architecture of the sub-space with every seed, as a study trains it.

    PYTHONPATH=. python -m benchmarks.grid.make --options 3 --seeds 3 --minutes 9

Trains what the files lack, one thread and one process a core, and appends each training when it
ends. The same command again does what is left, after a kill too. The protocol is that of the
grid's .json; a grid without one takes it from --protocol, a file of its fields.
"""

import os
import sys
import threading
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from search.config import Protocol
from search.executors.environments import num_cores, worker_environments
from search.executors.jobs import Job, JobFailedError
from search.training.data import ensure
from search.training.worker import train_job
from space import Architecture, Refusal
from studies import Epoch, Outcome

from ..figures import positive, positive_minutes
from ..parallel import in_processes
from ..timing import device_of
from .rows import FOLDER, GridFiles, store, stored
from .sessions import add_session, protocol_of
from .subspace import BACKBONES, OPTIONS, architectures, num_options


@dataclass(frozen=True, slots=True)
class Wanted:
    """A training of the grid."""

    name: str
    seed: int
    architecture: Architecture


@dataclass(frozen=True, slots=True)
class Found:
    """What a training showed, or the reason why it could not be done."""

    curve: tuple[Epoch, ...] = ()
    outcome: Outcome | None = None
    reason: str = ""


def wanted_of(backbone: str, most_options: int, num_seeds: int) -> list[Wanted]:
    """Return all trainings in order: each smaller grid is complete before a larger one begins."""
    named = architectures(backbone, most_options)
    found = [Wanted(name, seed, one) for seed in range(num_seeds) for name, one in named.items()]
    return sorted(found, key=lambda one: (num_options(one.name), one.seed))


def trained(wanted: Wanted, *, protocol: Protocol, device: str, data_dir: Path | None) -> Found:
    """Do the training in one thread, through the product's own worker."""
    _leave_with_parent()
    torch.set_num_threads(1)
    job = Job(0, 1, wanted.architecture.to_json(), wanted.seed, protocol, device, data_dir)
    try:
        *curve, outcome = train_job(job, lambda: False)
    except JobFailedError as error:
        return Found(reason=error.reason)
    assert isinstance(outcome, Outcome), "a training that is not stopped ends with its outcome"
    return Found(tuple(one for one in curve if isinstance(one, Epoch)), outcome)


@cache
def _leave_with_parent() -> None:
    """End this process when its parent is gone, killed, say: a pool's processes would stay."""
    parent = parent_process()

    def leave(sentinel: int) -> None:
        wait([sentinel])
        os._exit(1)

    if parent is not None:
        threading.Thread(target=leave, args=[parent.sentinel], daemon=True).start()


def train_missing(files: GridFiles, options: Namespace, protocol: Protocol) -> list[str]:
    """Train what the files lack, saying how it goes; return what could not be trained."""
    started, done = time.monotonic(), stored(files)
    everything = wanted_of(options.backbone, options.options, options.seeds)
    missing = [one for one in everything if (one.name, one.seed) not in done]
    print(f"{len(everything) - len(missing)} of {len(everything)} trainings are done", flush=True)
    if missing:
        ensure(protocol.dataset, options.data_dir, print)
    train = partial(
        trained, protocol=protocol, device=options.device.type, data_dir=options.data_dir
    )
    seconds = None if options.minutes is None else 60 * options.minutes
    failed = []
    tasks = in_processes(train, missing, processes=options.processes, seconds=seconds)
    for count, (one, found) in enumerate(tasks, 1):
        if found.outcome is None:
            failed.append(f"{one.name}, seed {one.seed}: {found.reason}")
            continue
        store(files, one.name, one.seed, found.curve, found.outcome)
        left = (time.monotonic() - started) / count * (len(missing) - count)
        print(_line(one, found.outcome, len(everything) - len(missing) + count, left), flush=True)
    return failed


def _line(one: Wanted, found: Outcome, count: int, left: float) -> str:
    accuracy, remaining = f"{100 * found.accuracy:.2f} %", timedelta(seconds=round(left))
    name = f"{one.name}, seed {one.seed}"
    return f"{count:4d} {name:31} {accuracy}, {found.seconds:.0f} s; {remaining} left"


def parsed(arguments: Sequence[str] | None = None) -> Namespace:
    """Return the options."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    counts = range(1, len(OPTIONS) + 1)
    parser.add_argument("--options", type=int, choices=counts, default=len(OPTIONS), help="first")
    parser.add_argument("--seeds", type=positive, default=3, help="trainings of each architecture")
    parser.add_argument(
        "--minutes", type=positive_minutes, help="stop then; the same command goes on"
    )
    parser.add_argument("--processes", type=positive, default=num_cores())
    parser.add_argument("--protocol", type=Path, metavar="FILE", help="JSON, for a new grid")
    parser.add_argument("--backbone", choices=BACKBONES, default="resnet8")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the grid is kept")
    parser.add_argument("--device", type=device_of, default="cpu", help="cpu or cuda")
    parser.add_argument("--data-dir", type=Path, metavar="DIR")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is left in the time; return 1 if a training failed, 2 on bad input."""
    options = parsed(arguments)
    files = GridFiles(options.backbone, options.folder)
    try:
        with FileLock(files.rows.with_suffix(".lock"), timeout=0):
            protocol = protocol_of(files, options.protocol)
            add_session(files, protocol, options.device.type)
            os.environ.update(worker_environments(options.device.type, 1, 1)[0])  # for children
            failed = train_missing(files, options, protocol)
    except (Refusal, Timeout) as error:
        print(error, file=sys.stderr)
        return 2
    for one in failed:
        print(f"failed: {one}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
