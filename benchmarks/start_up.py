"""Seconds from a job's arrival to its first step: in a new worker, and in a warm one.

    python -m benchmarks.start_up [--rounds 10] [--device cuda]

Each round starts an executor with one worker, as a study does, and gives it two jobs one after the
other. The clock of the first starts before the executor, so its process and its imports count; of
the second, at its submission. The first step is when the first epoch ended, less its own seconds.
The parts are of another new process in the same round; the network is a small one and the data
are the embedded sample.
"""

import json
import os
import subprocess
import sys
import time
from argparse import Namespace
from dataclasses import asdict

from rich.progress import track
from rich.table import Table

from search.config import Protocol
from search.executors import EpochDone, Failed, Job, LocalExecutor, Lost
from search.executors.environments import Environment, worker_environments
from space import plain

from .figures import median_of, parser_of, positive, publish
from .timing import PROGRESS, device_of, precision_on

TRAINER = "search.training.worker:train_job"
BACKBONE = "resnet8"
NEW, WARM = "new worker", "warm worker"
PATIENCE = 120.0  # seconds without a word from the worker


def protocol_on(device: str) -> Protocol:
    """Return two steps on the embedded sample."""
    return Protocol(
        dataset="cifar10-sample",
        train_images=256,
        epochs=1,
        batch_size=128,
        learning_rate=0.1,
        precision=precision_on(device_of(device)),
    )


def one_round(device: str) -> dict[str, float]:
    """Return the seconds of a new worker, of its second job, and of the parts of the first."""
    environment = worker_environments(device, 1, 1)[0]
    started = time.monotonic()
    executor = LocalExecutor(TRAINER, [environment])
    try:
        first_step = {NEW: first_step_of(1, executor, device) - started}
        started = time.monotonic()
        first_step[WARM] = first_step_of(2, executor, device) - started
    finally:
        executor.close()
    return {**first_step, **parts_of(device, environment)}


def first_step_of(number: int, executor: LocalExecutor, device: str) -> float:
    """Do a job; return when its first step began."""
    job = Job(number, 1, plain(BACKBONE).to_json(), number, protocol_on(device), device)
    executor.submit(job)
    first_step = 0.0
    while executor.capacity() == 0:
        events = executor.events(PATIENCE)
        if not events or isinstance(events[-1], Failed | Lost):
            raise SystemExit(f"the worker did not do its job: {events}")
        if isinstance(events[0], EpochDone):  # the only one of its job
            first_step = time.monotonic() - events[0].epoch.seconds
    return first_step


def parts_of(device: str, environment: Environment) -> dict[str, float]:
    """Return the seconds of each part of a new worker's start."""
    module, protocol = "benchmarks.start_up_parts", protocol_on(device).model_dump_json()
    arguments = [str(time.monotonic()), device, BACKBONE, protocol]
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    parts: dict[str, float] = json.loads(done.stdout)
    return parts


def table_of(seconds: dict[str, list[float]], title: str) -> Table:
    """Return one row for each start and each part."""
    table = Table("until the first step", "seconds", title=title)
    for name, found in seconds.items():
        table.add_row(name, median_of(found).in_words(2))
    return table


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=positive, default=10)
    parser.add_argument("--device", type=device_of, default="cpu", help="cpu or cuda")
    return parser.parse_args()


def main() -> None:
    """Print one row for each start, and one for each part."""
    options = parsed()
    turns = track(range(options.rounds), "starts", console=PROGRESS, transient=True)
    rounds = [one_round(options.device.type) for _ in turns]
    seconds = {name: [one[name] for one in rounds] for name in rounds[0]}
    title = (
        f"{BACKBONE}, cifar10-sample, {options.device}: medians (95 % intervals), "
        f"n = {options.rounds} rounds"
    )
    found = {
        "backbone": BACKBONE,
        "device": options.device.type,
        "num_rounds": options.rounds,
        "seconds": {name: asdict(median_of(one)) for name, one in seconds.items()},
    }
    publish(table_of(seconds, title), found, options.out)


if __name__ == "__main__":
    main()
