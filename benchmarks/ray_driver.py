"""How busy one driver keeps many GPUs of a Ray cluster, simulated by trainings that sleep.

    python -m benchmarks.ray_driver [--gpus 64] [--seconds 30] [--trials 256]

A Ray cluster on this machine whose one node says it has so many GPUs, with one actor process for
each, and a study for each sampler on a fresh SQLite file. Everything but the training is real: the
sampler, every row and epoch that is stored, Ray's scheduling and messages. The utilisation is the
share of the workers' time between two ends of trainings that is spent in training. The first
training of each worker is left out: there all of them begin, and later all of them end, at once.
"""

import os
import tempfile
import time
from argparse import Namespace
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import ray
from ray.cluster_utils import Cluster
from rich.table import Table

from search.config import config_of
from search.defaults import with_defaults
from search.driver import Driver, Limits
from search.executors import Done, Event, Job
from search.executors.cluster import Share
from search.executors.environments import ONE_THREAD
from search.executors.ray import RayExecutor
from search.executors.ray_cluster import connect
from search.listener import Listener
from search.samplers.table import SAMPLERS
from studies import create_or_open

from .figures import median_of, parser_of, positive, publish
from .slept import SECONDS

TRAINER = "benchmarks.slept:train"
PATIENCE = 1800.0  # seconds until all actors are there
GOAL = 0.97


@dataclass
class Watched:
    """An executor that notes each training's end."""

    executor: RayExecutor
    done: list[Done] = field(default_factory=list)

    def capacity(self) -> int:
        """Return how many workers are idle."""
        return self.executor.capacity()

    def submit(self, job: Job) -> None:
        """Start a job."""
        self.executor.submit(job)

    def events(self, timeout: float) -> list[Event]:
        """Return what happened."""
        found = self.executor.events(timeout)
        self.done += [one for one in found if isinstance(one, Done)]
        return found

    def stop(self, job: int) -> None:
        """Ask a job to stop."""
        self.executor.stop(job)

    def give_up(self, job: int, reason: str) -> None:
        """End a job's worker."""
        self.executor.give_up(job, reason)

    def close(self) -> None:
        """Do nothing: the workers serve the next study."""


def measured(sampler: str, executor: RayExecutor, options: Namespace) -> dict[str, object]:
    """Return how busy the workers were in a study, without the first training of each."""
    given = {"dataset": "cifar10", "backbone": "resnet20", "sampler": sampler}
    config = config_of(with_defaults({**given, "references": False}, "cpu", "float32"))
    watched, began = Watched(executor), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        study = create_or_open(f"sqlite:///{folder}/study.db", "ray", config.settings())
        Driver(study, config, watched, listener=Listener()).run(
            Limits(options.trials), lambda: False
        )
    later = watched.done[options.gpus :]
    busy = sum(one.outcome.seconds for one in later)
    waiting = [one.before.waiting for one in later]
    return {
        "utilisation": busy / (busy + sum(waiting)),
        "waiting_seconds": median_of(waiting).median,
        "longest_waiting_seconds": max(waiting),
        "num_trainings": len(later),
        "wall_seconds": time.perf_counter() - began,
        "attempts_lost": len(watched.done) - len(Counter(one.job for one in watched.done)),
    }


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--gpus", type=positive, default=64)
    parser.add_argument("--seconds", type=positive, default=30)
    parser.add_argument("--trials", type=positive, default=256)
    parser.add_argument(
        "--samplers", nargs="+", choices=sorted(SAMPLERS), default=["known-cost", "random"]
    )
    return parser.parse_args()


def main() -> None:
    """Print the utilisation with each sampler."""
    options = parsed()
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])  # of the workers
    head = {"num_cpus": 0, "num_gpus": options.gpus, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    connect(str(cluster.address))
    environment = {**ONE_THREAD, SECONDS: str(options.seconds)}
    began = time.perf_counter()
    executor = RayExecutor(TRAINER, [environment] * options.gpus, Share(cpus=0, gpus=1))
    executor.gather(lambda: False, PATIENCE)
    start_up = time.perf_counter() - began
    print(f"{executor.size()} actors after {start_up:.0f} s", flush=True)
    found = {one: measured(one, executor, options) for one in options.samplers}
    title = f"{executor.size()} simulated GPUs, trainings of {options.seconds} s"
    table = Table("sampler", "busy, %", "trainings", "between two, s", title=title)
    for name, one in found.items():
        busy, between = 100 * float(str(one["utilisation"])), float(str(one["waiting_seconds"]))
        table.add_row(name, f"{busy:.1f}", str(one["num_trainings"]), f"{between:.2f}")
    document: dict[str, object] = {
        "ray": version("ray"),
        "num_actors": executor.size(),
        "training_seconds": options.seconds,
        "start_up_seconds": start_up,
        "load_average": os.getloadavg(),
        "goal": GOAL,
        "samplers": found,
    }
    publish(table, document, options.out)
    executor.close()
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main()
