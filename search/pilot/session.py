"""One `search pilot`: workers, their pace, and as many trainings as there is time for."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from space import Architecture, cost
from studies import Outcome

from .. import session
from ..batch import Ended, trained
from ..executors import Job, LocalExecutor
from ..interruption import gentle_interruption
from ..options import in_words
from ..seeds import derived_seed
from ..soundness import fault_of, short_reason
from .lines import Finished, append, begin, key_of, read
from .networks import pilot_networks
from .plan import Pace, Training, planned
from .workers import Pilot, environments_of, measured_pace


@dataclass(frozen=True, slots=True)
class Trained:
    """All that a pilot has trained."""

    pace: Pace
    finished: tuple[Finished, ...]


@dataclass(slots=True)
class _Clock:
    """Says how much of the budget is left, in the pace that trainings really have."""

    budget: float
    began: float = field(default_factory=time.monotonic)
    delays: list[float] = field(default_factory=list)

    def spent(self) -> float:
        """Return the seconds since the pilot began."""
        return time.monotonic() - self.began

    def has_time(self, training: Training) -> bool:
        """Say whether the training would end within the budget."""
        slower = max(1.0, sum(self.delays) / len(self.delays)) if self.delays else 1.0
        return self.spent() + slower * training.seconds <= self.budget


def run_pilot(pilot: Pilot) -> Trained | None:
    """Train what the budget holds, less what an earlier call has finished; None after Ctrl-C.

    Raises:
        Refusal: the budget is too short, or no speed can be measured.
        KeyboardInterrupt: the second Ctrl-C.
    """
    clock = _Clock(pilot.budget)
    known = read(pilot.lines, pilot.settings)
    with gentle_interruption() as interrupted:
        executor = LocalExecutor(session.TRAINER, environments_of(pilot, known and known[0]))
        try:
            pace = known[0] if known else measured_pace(pilot, executor, clock.began, interrupted)
            if pace is None:
                return None
            finished = known[1] if known else ()
            plan = planned(pilot.config.protocol, pace, pilot.budget)
            if known is None:
                begin(pilot.lines, pilot.settings, pace)
            finished += _train(
                pilot, executor, _missing(pilot, plan, finished), clock, interrupted
            )
            return None if interrupted() else Trained(pace, finished)
        finally:
            executor.close()


def _missing(
    pilot: Pilot, plan: tuple[Training, ...], finished: tuple[Finished, ...]
) -> tuple[Training, ...]:
    """Return what is still to be trained, and say what the plan is."""
    done = {one.key for one in finished}
    missing = tuple(one for one in plan if key_of(one) not in done)
    protocols = dict.fromkeys((one.protocol.epochs, one.protocol.train_images) for one in plan)
    tried = ", ".join(f"{epochs} x {images}" for epochs, images in protocols)
    names = dict.fromkeys(one.network for one in plan)
    pilot.say(
        f"{len(plan)} trainings ({len(plan) - len(missing)} done before) of {len(names)} networks "
        f"fit, epochs x images: {tried}"
    )
    without = [name for name in pilot_networks(pilot.config.backbone) if name not in names]
    if without:
        pilot.say(f"left out, as the slowest: {', '.join(without)}; a longer --budget trains it")
    if len(protocols) == 1:
        pilot.say("one length has nothing to be compared with; a longer --budget tries more")
    return missing


def _train(
    pilot: Pilot,
    executor: LocalExecutor,
    missing: tuple[Training, ...],
    clock: _Clock,
    interrupted: Callable[[], bool],
) -> tuple[Finished, ...]:
    """Train, store and say each; what the budget has no time for is left out."""
    networks = pilot_networks(pilot.config.backbone)
    left_out = 0

    def may_start(training: Training) -> bool:
        nonlocal left_out
        may = not interrupted() and clock.has_time(training)
        left_out += not may
        return may

    make_job = partial(_job, pilot, networks)
    found = [
        one
        for ended in trained(executor, missing, make_job, may_start)
        for one in _kept(pilot, ended, clock)
    ]
    if left_out and not interrupted():
        pilot.say(f"{left_out} trainings left out: no time; the same command trains them")
    return tuple(found)


def _kept(pilot: Pilot, ended: Ended[Training], clock: _Clock) -> Iterator[Finished]:
    """Store and say what came of a training; yield it if it has an outcome."""
    protocol, network = ended.training.protocol, ended.training.network
    what = f"{network}, {protocol.epochs} epochs, {protocol.train_images} images"
    fault = _fault(pilot, ended)
    if ended.outcome is None or fault is not None:
        pilot.say(f"  failed  {what}: {short_reason(fault or ended.reason)}")
        return
    clock.delays.append(ended.seconds / ended.training.seconds)
    one = _finished(ended.training, ended.outcome, clock.delays[-1])
    append(pilot.lines, one)
    left = in_words(max(0.0, pilot.budget - clock.spent()))
    pilot.say(f"{100 * one.accuracy:6.2f} %  {what}, {one.seconds:.1f} s; at most {left} left")
    yield one


def _fault(pilot: Pilot, ended: Ended[Training]) -> str | None:
    """Return what is wrong with what the worker reports, if anything."""
    if ended.outcome is None:
        return None
    network = pilot_networks(pilot.config.backbone)[ended.training.network]
    return fault_of(ended.outcome, cost(network), ended.training.protocol, ended.curve)


def _finished(training: Training, outcome: Outcome, delay: float) -> Finished:
    return Finished(
        training.protocol.epochs,
        training.protocol.train_images,
        training.network,
        training.index,
        outcome.accuracy,
        outcome.unaveraged,
        outcome.correct,
        outcome.seconds,
        delay,
    )


def _job(
    pilot: Pilot, networks: dict[str, Architecture], number: int, attempt: int, one: Training
) -> Job:
    """Return a training as plain data; no two trainings share a seed."""
    seed = derived_seed(pilot.config.seed, "pilot", "/".join(map(str, key_of(one))))
    return Job(
        number,
        attempt,
        networks[one.network].to_json(),
        seed,
        one.protocol,
        pilot.device,
        pilot.data_dir,
        compare_averaging=True,
    )
