"""A study whose workers are replaced by scripted executors: no process, no waiting."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from search.executors import Done, EpochDone, Event, Job, Lost, Stopped
from space import Architecture, cost, digest
from studies import Epoch, Outcome
from tests.search.fake_trainer import fake_accuracy, fake_bits

Reply = Callable[[Job], list[Event]]
SETTINGS: dict[str, object] = {
    "dataset": "cifar10-sample",
    "train_images": 100,
    "epochs": 1,
    "batch_size": 10,
    "learning_rate": 0.1,
    "backbone": "resnet20",
    "sampler": "random",  # the quickest; what depends on the sampler names its own
}


def succeed(job: Job) -> list[Event]:
    """Return what a worker sends for a job that goes well."""
    architecture = Architecture.from_json(job.architecture)
    price = cost(architecture)
    accuracy = fake_accuracy(digest(architecture), job.seed)
    curve = [Epoch(n, 1.0, 1.1, accuracy, 0.5) for n in range(1, job.protocol.epochs + 1)]
    bits = fake_bits(accuracy, job.seed)
    outcome = Outcome(accuracy, bits, price.macs, price.params, 0.5, 1000.0)
    told = [EpochDone(job.id, job.attempt, one) for one in curve]
    return [*told, Done(job.id, job.attempt, outcome)]


def learn(job: Job) -> list[Event]:
    """Return what a worker sends that learns all epochs; each accuracy tells of the last."""
    *_, done = succeed(job)
    assert isinstance(done, Done)
    final, noise = done.outcome.accuracy, Random(job.seed)
    shown = [
        final - 0.3 / number + noise.gauss(0, 0.001) for number in range(1, job.protocol.epochs)
    ]
    curve = [
        Epoch(number, 2 - one, 3 - one, one, 0.5) for number, one in enumerate([*shown, final], 1)
    ]
    return [*(EpochDone(job.id, job.attempt, one) for one in curve), done]


@dataclass
class ScriptedExecutor:
    """Answers each job at the next call of `events`, by the reply it was given."""

    reply: Reply = succeed
    workers: int = 1
    jobs: list[Job] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)

    def capacity(self) -> int:
        return self.workers - len(self.waiting)

    def submit(self, job: Job) -> None:
        assert self.capacity() > 0
        self.jobs.append(job)
        self.waiting.append(job)

    def events(self, timeout: float) -> list[Event]:
        assert timeout >= 0
        answered, self.waiting = self.waiting, []
        return [event for job in answered for event in self.reply(job)]

    def stop(self, job: int) -> None:
        raise AssertionError(f"nothing stops job {job} here")

    def give_up(self, job: int, reason: str) -> None:
        raise AssertionError(f"nothing gives up job {job} here, {reason}")

    def close(self) -> None:
        self.waiting = []


@dataclass
class SteppingExecutor:
    """Says one thing of each job at a call of `events`, and stops a job that it is told to."""

    reply: Reply = learn
    workers: int = 1
    hears_stops: bool = True
    jobs: list[Job] = field(default_factory=list)
    told: list[int] = field(default_factory=list)  # to stop
    left: dict[int, list[Event]] = field(default_factory=dict)

    def capacity(self) -> int:
        return self.workers - len(self.left)

    def submit(self, job: Job) -> None:
        assert self.capacity() > 0
        self.jobs.append(job)
        self.left[job.id] = self.reply(job)

    def events(self, timeout: float) -> list[Event]:
        assert timeout > 0
        found = [left.pop(0) for left in self.left.values()]
        self.left = {job: left for job, left in self.left.items() if left}
        return found

    def stop(self, job: int) -> None:
        self.told.append(job)
        if self.hears_stops:
            attempt = self.left[job][0].attempt
            self.left[job] = [Stopped(job, attempt)]

    def give_up(self, job: int, reason: str) -> None:
        attempt = self.left[job][0].attempt
        self.left[job] = [Lost(job, attempt, reason)]

    def close(self) -> None:
        self.left = {}
