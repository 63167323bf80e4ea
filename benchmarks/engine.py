"""How fast whole epochs are, against the tutorials' loop on the same machine.

    python -m benchmarks.engine [--backbone resnet20] [--workers 2] [--rounds 5] [--device cuda]

Contenders: the tutorials' loop; with `--mixed` the same with mixed precision and channels_last;
ours in one process with one thread, and on a CPU with all; ours in several processes of one
thread, on a GPU all on the same one. Ours runs with the variables that a study's workers get. In
each round every contender starts anew, trains one epoch to warm up and one that is timed,
validation included. Images are the embedded sample's, repeated where an epoch asks for more.

The share is what the network's multiply-accumulates, six FLOP each for forward and backward, take
of the best square matrix product of the same run: bf16 on a GPU, fp32 on a CPU for each thread.
"""

import os
import subprocess
import sys
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import asdict
from random import Random

import torch
from rich.progress import track
from rich.table import Table

from search.executors.environments import (
    ONE_THREAD,
    Environment,
    num_cores,
    worker_environments,
)
from search.speeds import FLOP_PER_MAC
from search.training.bench import matrix_rate
from space import BACKBONES, cost, plain

from .contenders import ALL, MIXED, ONE, TUTORIAL
from .figures import Median, median_of, parser_of, positive, publish
from .timing import PROGRESS, device_of, precision_on

IMAGES = {"cpu": 1_800, "cuda": 18_000}
Speeds = dict[str, list[float]]  # training images per second by contender, one for each round


def workers_of(options: Namespace) -> dict[str, int]:
    """Return the contenders by name, each with its number of processes."""
    single = [TUTORIAL, *([MIXED] if options.mixed else []), ONE]
    if options.device.type == "cpu":
        single.append(ALL)
    several = {f"ours, {n} workers of one thread": n for n in options.workers if n > 1}
    return {**dict.fromkeys(single, 1), **several}


def timed(name: str, options: Namespace) -> float:
    """Return the training images per second of a contender, all its processes together."""
    count = workers_of(options)[name]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(_started(ONE if count > 1 else name, options, variables))
            for variables in environments(name, count, options.device)
        ]
        for process in processes:
            _answer(process)  # warm
        for process in processes:
            print("go", file=process.stdin, flush=True)
        slowest = max(_answer(process) for process in processes)
    speed: float = count * options.images / slowest
    return speed


def environments(name: str, count: int, device: torch.device) -> tuple[Environment, ...]:
    """Return what each process of a contender starts with; only ours has a worker's variables."""
    if name in (TUTORIAL, MIXED):
        return ({},) * count
    found = worker_environments(device.type, 1, count)
    if name == ALL:
        return tuple({n: one[n] for n in one.keys() - ONE_THREAD} for one in found)
    return found


def _started(name: str, options: Namespace, variables: Environment) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.contenders", name]
    command += ["--backbone", options.backbone, "--images", str(options.images)]
    command += ["--batch", str(options.batch), "--device", options.device.type]
    pipe, environment = subprocess.PIPE, {**os.environ, **variables}
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)


def _answer(process: subprocess.Popen[str]) -> float:
    assert process.stdout is not None
    return float(process.stdout.readline())


def speeds_of(options: Namespace) -> Speeds:
    """Return each contender's images per second, one for each round, in a random order."""
    names = list(workers_of(options))
    shuffled = Random(0)
    turns = [name for _ in range(options.rounds) for name in shuffled.sample(names, len(names))]
    speeds: Speeds = {name: [] for name in names}
    for name in track(turns, "epochs", console=PROGRESS, transient=True):
        speeds[name].append(timed(name, options))
    return speeds


def shares_of(speeds: Speeds, rate: float, options: Namespace) -> dict[str, Median]:
    """Return the share that each contender takes of the rate of all the threads it has."""
    shares = {}
    for name, count in workers_of(options).items():
        threads = count if name not in (TUTORIAL, MIXED, ALL) else torch.get_num_threads()
        used = min(threads, num_cores()) if options.device.type == "cpu" else 1
        work = FLOP_PER_MAC * cost(plain(options.backbone)).macs
        found = [work * one / (used * rate) for one in speeds[name]]
        shares[name] = median_of(found)
    return shares


def table_of(speeds: Speeds, shares: dict[str, Median], title: str) -> Table:
    """Return one row for each contender."""
    columns = ("contender", "images/s", "times the tutorial", "times one thread", "share, %")
    table = Table(*columns, title=title)
    for name, found in speeds.items():
        ratios = [ratio(found, speeds[other]).in_words(2) for other in (TUTORIAL, ONE)]
        table.add_row(name, median_of(found).in_words(0), *ratios, shares[name].in_words(1, 100))
    return table


def ratio(found: list[float], reference: list[float]) -> Median:
    """Return the median of the ratios, one for each round."""
    return median_of([one / other for one, other in zip(found, reference, strict=True)])


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--backbone", choices=BACKBONES, default="resnet20", metavar="NAME")
    parser.add_argument("--images", type=positive, help="of one epoch: 1,800; on a GPU 18,000")
    parser.add_argument("--batch", type=positive, default=128)
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--workers", type=positive, nargs="+", default=[2], metavar="N")
    parser.add_argument("--device", type=device_of, default="cpu", help="cpu or cuda")
    parser.add_argument("--mixed", action="store_true", help="with the peer in mixed precision")
    options = parser.parse_args()
    options.images = options.images or IMAGES[options.device.type]
    return options


def facts_of(options: Namespace, speeds: Speeds, rate: float) -> dict[str, object]:
    """Return the options and all figures as plain data."""
    shares = shares_of(speeds, rate, options)
    return {
        "backbone": options.backbone,
        "num_images": options.images,
        "batch": options.batch,
        "device": options.device.type,
        "num_rounds": options.rounds,
        "images_per_second": {n: asdict(median_of(one)) for n, one in speeds.items()},
        "ratio_to_tutorial": {
            n: asdict(ratio(one, speeds[TUTORIAL])) for n, one in speeds.items()
        },
        "ratio_to_one_thread": {n: asdict(ratio(one, speeds[ONE])) for n, one in speeds.items()},
        "matrix_flops_per_second": rate,
        "share_of_matrix_rate": {name: asdict(one) for name, one in shares.items()},
    }


def main() -> None:
    """Print one row for each contender."""
    options = parsed()
    product = options.device.type, precision_on(options.device)
    before = matrix_rate(*product)
    speeds = speeds_of(options)
    rate = max(before, matrix_rate(*product))
    title = (
        f"{options.backbone}, {options.images:,} images an epoch, batch {options.batch}, "
        f"{options.device}: medians (95 % intervals), n = {options.rounds} rounds"
    )
    line = f"best square matrix product: {rate / 1e12:,.3f} TFLOP/s"
    table = table_of(speeds, shares_of(speeds, rate, options), title)
    publish(table, facts_of(options, speeds, rate), options.out, [line])


if __name__ == "__main__":
    main()
