"""Workers on a Ray cluster: one actor each, replaced when it or its node is lost."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError

from space import Refusal

from .cluster import Share
from .jobs import EpochDone, Event, Failed, Job, Lost
from .ray_actor import GROUPS, Message, Worker

Environment = Mapping[str, str]
PATIENCE = 180.0  # seconds until a run begins with the workers that have come
ONE_CPU = Share()
LOOK = 0.5  # seconds between looks at Ctrl-C
REASON_LENGTH = 200  # characters


@dataclass(slots=True, eq=False)
class _Place:
    """One actor, what it is waited on with, and the job it has."""

    actor: Any  # Ray types no handle of an actor with options
    environment: Environment
    life: Any  # an answer that never comes; an error once the actor is dead
    ready: Any = None  # the first answer; None once it has come
    job: Job | None = None
    stream: Any = None  # of the job's messages

    def sources(self) -> list[Any]:
        """Return what may have news."""
        return [one for one in (self.life, self.ready, self.stream) if one is not None]


class RayExecutor:
    """Runs each job in one of several actors, which stay warm between jobs.

    The arguments are the local executor's, and each worker's share of its node. An actor takes
    part once its node has room for it: one that was lost with its node waits for another node.
    """

    def __init__(
        self, trainer: str, environments: Sequence[Environment], share: Share = ONE_CPU
    ) -> None:
        self._trainer = trainer
        self._share = share
        self._places = [self._start(one) for one in environments]
        self._unheard: list[Event] = []

    def gather(self, interrupted: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Wait until all workers have come; those that are late may join later.

        Raises:
            Refusal: none came in time.
        """
        deadline = time.monotonic() + patience
        while self.size() < len(self._places) and not interrupted():
            if time.monotonic() > deadline and self.size():
                return
            if time.monotonic() > deadline:
                self.close()
                raise Refusal(
                    f"a worker must start within {patience:.0f} s, got none on this cluster: "
                    "others may hold its resources, as `ray status` shows"
                )
            self.events(LOOK)

    def capacity(self) -> int:
        """Return the number of idle workers that have come."""
        return sum(place.job is None and place.ready is None for place in self._places)

    def size(self) -> int:
        """Return the number of workers that have come, idle or not."""
        return sum(place.ready is None for place in self._places)

    def replace_busy(self) -> None:
        """End the workers that have a job, unheard, and wait for others in their places."""
        busy = [place for place in self._places if place.job is not None]
        for place in busy:
            place.job = None
            self._replace(place, "")
        self.gather(lambda: False)

    def submit(self, job: Job) -> None:
        """Send the job to an idle worker; if that just died, `events` will say so."""
        place = next(one for one in self._places if one.job is None and one.ready is None)
        place.job = job
        place.stream = place.actor.train.remote(job)

    def events(self, timeout: float) -> list[Event]:
        """Return what happened; a dead worker's job is lost and a new worker takes its place."""
        sources = [source for place in self._places for source in place.sources()]
        told, self._unheard = self._unheard, []
        ray.wait(sources, timeout=0 if told else timeout)
        news, _ = ray.wait(sources, num_returns=len(sources), timeout=0)
        return told + [e for place in list(self._places) for e in self._heard(place, news)]

    def stop(self, job: int) -> None:
        """Ask the job's worker to stop it; if that just died, `events` will say so."""
        for place in self._places:
            if place.job is not None and place.job.id == job:
                place.actor.stop.remote(job, place.job.attempt)

    def give_up(self, job: int, reason: str) -> None:
        """Kill the job's worker; `events` will say that it is lost."""
        for place in list(self._places):
            if place.job is not None and place.job.id == job:
                self._unheard.append(Lost(job, place.job.attempt, reason))
                place.job = None
                self._replace(place, reason)

    def close(self) -> None:
        """Kill all workers: what they were doing is resubmitted by the next run."""
        for place in self._places:
            _kill(place)
        self._places = []

    def _heard(self, place: _Place, news: Sequence[Any]) -> list[Event]:
        """Take the place's messages, then see whether its worker still lives."""
        found: list[Event] = []
        try:
            if place.ready in news:
                ray.get(place.ready)
                place.ready = None
            if place.stream in news:
                self._read(place, found)
            if place.life in news and place in self._places:  # not replaced just now
                ray.get(place.life)
        except RayError as error:
            found += self._replace(place, _in_words(error))
        return found

    def _read(self, place: _Place, found: list[Event]) -> None:
        """Add what the place's worker has sent of its job; a spent worker is replaced."""
        while place.job is not None and ray.wait([place.stream], timeout=0)[0]:
            message = next(place.stream, None)
            if message is None:
                found += self._replace(place, "its messages ended without a result")
                return
            event = _delivered(ray.get(message), place.job)
            found.append(event)
            if not isinstance(event, EpochDone):
                place.job = place.stream = None
                if isinstance(event, Failed) and event.worker_is_spent:
                    self._replace(place, "")

    def _replace(self, place: _Place, reason: str) -> list[Event]:
        _kill(place)
        self._places[self._places.index(place)] = self._start(place.environment)
        if place.job is None:
            return []
        return [Lost(place.job.id, place.job.attempt, f"the worker died: {reason}")]

    def _start(self, environment: Environment) -> _Place:
        remote: Any = ray.remote  # its types know no groups
        actor = remote(
            concurrency_groups=GROUPS,
            num_cpus=self._share.cpus,
            num_gpus=self._share.gpus,
            runtime_env={"env_vars": dict(environment)},
        )(Worker).remote(self._trainer)
        return _Place(actor, environment, actor.live.remote(), actor.is_ready.remote())


def _kill(place: _Place) -> None:
    with suppress(RayError):
        ray.kill(place.actor)


def _delivered(message: Message, job: Job) -> Event:
    """Write the files that came with an event; where they are required, a full disk fails it.

    A worker chooses no path: what the job did not ask for is left out.
    """
    wanted = () if job.keep is None else (job.keep.weights, job.keep.gates)
    try:
        for path, content in message.files:
            if path not in wanted:
                continue
            half = path.with_name(f".{path.name}.part")
            half.write_bytes(content)
            half.replace(path)
    except OSError as error:
        if job.keep is not None and job.keep.required:
            return Failed(job.id, job.attempt, f"{error.strerror}: {error.filename}")
    return message.event


def _in_words(error: RayError) -> str:
    """Return the last line that says something: Ray's first ones name the actor's parts."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:REASON_LENGTH] if lines else type(error).__name__
