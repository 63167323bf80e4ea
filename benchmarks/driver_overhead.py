"""What the driver itself costs for each trial, with trainings that take no time.

    python -m benchmarks.driver_overhead [--trials 200] [--epochs 6] [--sampler tpe]

A study on a fresh SQLite file, whose executor answers at once with made-up epochs and outcomes.
Asking the sampler (Optuna's ask and its suggestions) is timed apart; the rest is the driver:
pricing, every row and epoch it stores, telling Optuna, the posterior and the front.
"""

import tempfile
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from unittest.mock import patch

import optuna
from rich.table import Table

from search.config import NUM_VALIDATION, config_of
from search.defaults import with_defaults
from search.driver import Driver, Limits
from search.executors import Done, EpochDone, Event, Job
from search.listener import Listener
from search.samplers.table import SAMPLERS
from space import Architecture, cost
from studies import Epoch, Evaluation, Outcome, create_or_open

from .figures import Median, median_of, parser_of, positive, publish

TEN_SECONDS = 10.0  # the training that the driver's share is of
LAST = 20  # trials, at the end of the study, that its time is read from


@dataclass
class NoWork:
    """An executor with one worker that answers every job at once."""

    epochs: int
    waiting: list[Job] = field(default_factory=list)

    def capacity(self) -> int:
        """Return whether the worker is free."""
        return 1 - len(self.waiting)

    def submit(self, job: Job) -> None:
        """Take the job."""
        self.waiting.append(job)

    def events(self, _timeout: float) -> list[Event]:
        """Answer it."""
        answered, self.waiting = self.waiting, []
        return [event for job in answered for event in answer(job, self.epochs)]

    def stop(self, job: int) -> None:
        """Do nothing: what was asked for is done already."""

    def give_up(self, job: int, reason: str) -> None:
        """Do nothing, for the same reason."""

    def close(self) -> None:
        """Do nothing."""


def answer(job: Job, epochs: int) -> list[Event]:
    """Return made-up epochs and an outcome with a bit for each validation image."""
    generator = Random(job.seed)
    num_images = NUM_VALIDATION[job.protocol.dataset]
    accuracy = 0.7 + 0.01 * generator.gauss(0, 1)
    price = cost(Architecture.from_json(job.architecture))
    bits = generator.getrandbits(num_images).to_bytes(num_images // 8, "big")
    rows = range(1, epochs + 1)
    done = [EpochDone(job.id, job.attempt, Epoch(n, 1.0, 1.0, accuracy, 1.0)) for n in rows]
    outcome = Outcome(accuracy, bits, price.macs, price.params, TEN_SECONDS, 1000.0)
    return [*done, Done(job.id, job.attempt, outcome)]


class Clock(Listener):
    """Notes, at the end of each training, the time and what the sampler has taken of it."""

    def __init__(self) -> None:
        self.sampling = 0.0
        self.marks: list[tuple[float, float]] = [(perf_counter(), 0.0)]

    def finished(self, row: Evaluation) -> None:
        """Note it, unless it is a network outside the study's trials."""
        if row.trial is not None:
            self.marks.append((perf_counter(), self.sampling))

    def timed(self, owner: object, name: str) -> ExitStack:
        """Return a context in which the owner's function counts as sampling."""
        function = getattr(owner, name)

        def call(*arguments: object, **named: object) -> object:
            started = perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.sampling += perf_counter() - started

        stack = ExitStack()
        stack.enter_context(patch.object(owner, name, call))
        return stack


def measured(options: Namespace, folder: Path) -> dict[str, Median]:
    """Return the seconds of the last trials: the driver's own, and the sampler's."""
    given = {"dataset": "cifar10", "backbone": "resnet20", "sampler": options.sampler}
    config = config_of(with_defaults({**given, "epochs": options.epochs}, "cpu", "float32"))
    study = create_or_open(f"sqlite:///{folder}/study.db", "driver", config.settings())
    clock = Clock()
    with clock.timed(optuna.Study, "ask"), clock.timed(optuna.Trial, "suggest_categorical"):
        driver = Driver(study, config, NoWork(options.epochs), listener=clock)
        driver.run(Limits(options.trials), lambda: False)
    pairs = list(zip(clock.marks, clock.marks[1:], strict=False))[-LAST:]
    sampling = [after[1] - before[1] for before, after in pairs]
    whole = [after[0] - before[0] for before, after in pairs]
    own = [all_of - asked for all_of, asked in zip(whole, sampling, strict=True)]
    return {"driver": median_of(own), "sampler": median_of(sampling)}


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--trials", type=positive, default=200)
    parser.add_argument("--epochs", type=positive, default=6)
    parser.add_argument("--sampler", choices=sorted(SAMPLERS), default="tpe")
    return parser.parse_args()


def main() -> None:
    """Print the driver's own time for a trial, and its share of one of ten seconds."""
    options = parsed()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(options, Path(folder))
    title = (
        f"the last {LAST} of {options.trials} trials, {options.epochs} epochs each: "
        "median (95 % interval)"
    )
    table = Table("part", "ms for a trial", "% of ten seconds", title=title)
    for name, one in found.items():
        table.add_row(name, one.in_words(1, 1e3), one.in_words(2, 100 / TEN_SECONDS))
    facts = {name: asdict(one) for name, one in found.items()}
    document = {"num_trials": options.trials, "sampler": options.sampler, "seconds": facts}
    publish(table, document, options.out)


if __name__ == "__main__":
    main()
