"""One `search run`: config, lock, study, workers, driver; everything that must be closed again."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace

from space import Refusal
from studies import (
    Evaluation,
    OpenStudy,
    create_or_open,
    evaluations,
    existing_settings,
    only_driver,
    read_front,
    store_front,
)
from studies.store.sessions import begin_session, end_session
from studies.store.settings import refuse_other_settings
from studies.store.storage import refusing_if_deleted

from .budgets import with_budgets
from .config import StudyConfig, config_of
from .crew import Crew
from .defaults import with_defaults
from .driver import Driver, Ending, Limits
from .executors import LocalExecutor
from .forecast import Speed, remembered_speed
from .interruption import gentle_interruption
from .late_members import keep_late_members, without_weights
from .listener import Listener
from .opening import opening_line
from .plan import Plan
from .probes import find_workers, worker_speed
from .recovery import recover
from .rungs import MIN_EPOCHS
from .surroundings import surroundings

TRAINER = "search.training.worker:train_job"
MakeListener = Callable[[int], AbstractContextManager[Listener]]  # of the trainings done so far
Say = Callable[[str], None]
Interrupted = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended, and the study it leaves."""

    ending: Ending
    study: OpenStudy
    speed: Speed | None


def resolve_config(
    given: Mapping[str, object], url: str, name: str, *, device: str, precision: str
) -> StudyConfig:
    """Return the config of an existing study, or of a new one with defaults for what is not given.

    Raises:
        Refusal: a given value breaks its rule, or differs from the existing study's.
    """
    stored = existing_settings(url, name)
    if stored is None:
        values = with_defaults(given, device, precision)
        config = config_of(with_budgets(values, str(values["backbone"])))
    else:
        refuse_other_settings(name, stored, with_budgets(given, str(stored["backbone"])))
        config = config_of(dict(stored))
    if given.get("early_stop") and config.protocol.epochs < MIN_EPOCHS:
        raise Refusal(
            f"--early-stop needs --epochs of at least {MIN_EPOCHS}, since it judges by the first "
            f"third, got {config.protocol.epochs}; raise that or leave --early-stop out"
        )
    return config


def run_session(plan: Plan, say: Say, make_listener: MakeListener) -> Result:
    """Run the study to its end; Ctrl-C once ends it gently, twice at once.

    Raises:
        KeyboardInterrupt: the second Ctrl-C; what ran is taken back and runs again next time.
    """
    with only_driver(plan.url, plan.study), gentle_interruption() as interrupted:
        study = create_or_open(plan.url, plan.study, plan.config.settings())
        unfinished = recover(study)
        known = evaluations(study)
        is_there = sum(one.counts for one in known) >= plan.limits.num_trials
        if is_there and not unfinished and not without_weights(study):
            return _already_over(plan, study, known, say)
        return _Session(plan, study, known, say, make_listener, interrupted).run()


def _already_over(plan: Plan, study: OpenStudy, known: tuple[Evaluation, ...], say: Say) -> Result:
    """Store the front anew, by the estimates of this version."""
    store_front(study, read_front(study))
    done = sum(one.counts for one in known)
    say(f"the study has its {done} trainings; a larger --trials goes on")
    return Result("total", study, remembered_speed(plan.config, known, len(plan.environments)))


@dataclass(slots=True)
class _Session:
    """A study that is open and locked, and what is to be done with it."""

    plan: Plan
    study: OpenStudy
    known: tuple[Evaluation, ...]
    say: Say
    make_listener: MakeListener
    interrupted: Interrupted
    began: float = field(default_factory=time.monotonic)

    def run(self) -> Result:
        """Start the workers, drive them, and end them whatever happens."""
        plan, executor = self.plan, _workers(self.plan, self.interrupted)
        with ExitStack() as ends:
            driver = Driver(
                self.study,
                plan.config,
                executor,
                listener=Listener(),
                device=plan.device,
                data_dir=plan.data_dir,
            )
            ends.callback(driver.abandon)
            ends.callback(executor.close)  # before that: nobody trains what is taken back
            speed = self._speed(executor)
            self.say(opening_line(plan, speed, self.known))
            facts = surroundings(plan.device, plan.hardware, executor.size())
            number = begin_session(self.study, facts)
            ending = self._driven(driver)
            end_session(self.study, number, ending)
            return Result(ending, self.study, speed)

    def _speed(self, executor: Crew) -> Speed | None:
        """Return how fast a worker is, once there are as many as there shall be."""
        plan, done = self.plan, sum(one.counts for one in self.known)
        if isinstance(executor, LocalExecutor) and plan.finds_workers:
            find_workers(plan, executor, self.interrupted, plan.limits.num_trials - done)
            self.say(f"{executor.size()} workers on {len(plan.environments)} devices")
        return worker_speed(plan, executor, self.known, self.interrupted)

    def _driven(self, driver: Driver) -> Ending:
        """Train to the total, then what the front lacks; return why it ended."""
        done = sum(one.counts for one in self.known)
        with refusing_if_deleted(self.study):
            with self.make_listener(done) as driver.listener:
                ending = driver.run(self._rest(), self.interrupted)
            if ending != "total" or keep_late_members(driver, self.say, self._may_go_on):
                return ending
        return "interrupted" if self.interrupted() else "time"

    def _may_go_on(self) -> bool:
        seconds = self._rest().max_seconds
        return not self.interrupted() and (seconds is None or seconds > 0)

    def _rest(self) -> Limits:
        """Return the limits with what has passed taken off the time."""
        limits, spent = self.plan.limits, time.monotonic() - self.began
        if limits.max_seconds is None:
            return limits
        return replace(limits, max_seconds=limits.max_seconds - spent)


def _workers(plan: Plan, interrupted: Callable[[], bool]) -> Crew:
    """Start the workers; of those that are still to be found, one."""
    if plan.share is None:
        return LocalExecutor(TRAINER, plan.environments[: 1 if plan.finds_workers else None])
    from .executors.ray import RayExecutor  # Ray takes seconds, and is an extra

    executor = RayExecutor(TRAINER, plan.environments, plan.share)
    executor.gather(interrupted)
    return executor
