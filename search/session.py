"""One `search run`: config, lock, study, workers, driver; everything that must be closed again."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from space import Refusal, cost_range, count_in_words, plain, share_in_words
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
from .crew import PROBE, Crew, Load, load_of, probed, worthwhile
from .defaults import with_defaults
from .driver import Driver, Ending, Limits
from .executors import Job, LocalExecutor
from .executors.cluster import Cluster, Share
from .executors.environments import Environment, num_cores
from .forecast import Speed, forecast_seconds, remembered_speed
from .interruption import gentle_interruption
from .listener import Listener
from .options import in_words
from .recovery import recover
from .rungs import MIN_EPOCHS
from .surroundings import surroundings

TRAINER = "search.training.worker:train_job"
MakeListener = Callable[[int], AbstractContextManager[Listener]]  # of the trainings done so far
PROBE_SECONDS = 2.0
LONG_SECONDS = 2 * 3600  # a forecast beyond this names ways to shorten it, on a CPU


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, where, and until when.

    There is one environment for each worker; with `finds_workers` one for each device, and the
    run finds out how many workers to start in each.
    """

    config: StudyConfig
    url: str
    study: str
    limits: Limits
    device: str
    environments: tuple[Environment, ...]
    data_dir: Path | None = None
    finds_workers: bool = False
    hardware: str = ""  # of the processor or the GPUs
    cluster: Cluster | None = None  # None is this machine
    share: Share | None = None  # of a cluster's node, that each worker holds


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


def run_session(plan: Plan, say: Callable[[str], None], make_listener: MakeListener) -> Result:
    """Run the study to its end; Ctrl-C once ends it gently, twice at once.

    Raises:
        KeyboardInterrupt: the second Ctrl-C; what ran is taken back and runs again next time.
    """
    began = time.monotonic()
    with only_driver(plan.url, plan.study), gentle_interruption() as interrupted:
        study = create_or_open(plan.url, plan.study, plan.config.settings())
        unfinished = recover(study)
        known = evaluations(study)
        done = sum(one.counts for one in known)
        if done >= plan.limits.num_trials and not unfinished:
            store_front(study, read_front(study))
            say(f"the study has its {done} trainings; a larger --trials goes on")
            return Result(
                "total", study, remembered_speed(plan.config, known, len(plan.environments))
            )
        executor = _workers(plan, interrupted)
        driver = None
        try:
            if isinstance(executor, LocalExecutor) and plan.finds_workers:
                find_workers(plan, executor, interrupted, plan.limits.num_trials - done)
                say(f"{executor.size()} workers on {len(plan.environments)} devices")
            speed = _speed(plan, executor, known, interrupted)
            say(opening_line(plan, speed, known))
            number = begin_session(
                study, surroundings(plan.device, plan.hardware, executor.size())
            )
            with make_listener(done) as listener:
                driver = Driver(
                    study,
                    plan.config,
                    executor,
                    listener=listener,
                    device=plan.device,
                    data_dir=plan.data_dir,
                )
                with refusing_if_deleted(study):
                    ending = driver.run(_rest(plan.limits, time.monotonic() - began), interrupted)
            end_session(study, number, ending)
            return Result(ending, study, speed)
        finally:
            try:
                executor.close()
            finally:
                if driver is not None:
                    driver.abandon()


def _workers(plan: Plan, interrupted: Callable[[], bool]) -> Crew:
    """Start the workers; of those that are still to be found, one."""
    if plan.share is None:
        return LocalExecutor(TRAINER, plan.environments[: 1 if plan.finds_workers else None])
    from .executors.ray import RayExecutor  # Ray takes seconds, and is an extra

    executor = RayExecutor(TRAINER, plan.environments, plan.share)
    executor.gather(interrupted)
    return executor


def _rest(limits: Limits, seconds: float) -> Limits:
    """Return the limits with what probes have taken off the time."""
    if limits.max_seconds is None:
        return limits
    return replace(limits, max_seconds=limits.max_seconds - seconds)


def opening_line(plan: Plan, speed: Speed | None, known: tuple[Evaluation, ...]) -> str:
    """Return the size of the space, the range of its cost, and how long the run will take."""
    config, size = plan.config, _size_in_words(plan.config)
    if speed is None:
        return f"{size}; no forecast: the speed could not be measured"
    seconds = forecast_seconds(config, speed, plan.limits.num_trials, known)
    line = (
        f"{size}; about {in_words(seconds)} to {plan.limits.num_trials} trainings at "
        f"{speed.images_per_second:,.0f} images/s on each of {speed.num_workers} workers"
    )
    if seconds > LONG_SECONDS and plan.device == "cpu" and plan.limits.max_seconds is None:
        line += "; long on a CPU: --max-time 2h, --train-images 10000 or --epochs 3 shorten it"
    return line


def _size_in_words(config: StudyConfig) -> str:
    """Return how many architectures there are and what those within the budget cost."""
    least, most = (one[config.cost] for one in cost_range(config.search_space))
    most = min(most, config.limits.get(config.cost, most))
    within = "of which those within the budget " if config.limits else ""
    return (
        f"{config.search_space.size():,} architectures of {config.backbone}, {within}"
        f"{count_in_words(least)} to {count_in_words(most)} {config.cost} "
        f"({share_in_words(most, least)})"
    )


def find_workers(
    plan: Plan, executor: LocalExecutor, interrupted: Callable[[], bool], num_missing: int
) -> None:
    """Give each device as many workers as fit and pay, by a probe on the first."""
    first, *others = plan.environments
    share = num_cores() // len(plan.environments)  # each worker needs a core to feed its device
    most = max(1, min(share, num_missing // len(plan.environments)))

    def load(count: int) -> Load | None:
        executor.add([first] * (count - executor.size()))
        if not probed(executor, _probe(plan), count, interrupted):  # this one warms up
            return None
        return load_of(probed(executor, _probe(plan), count, interrupted))

    each = worthwhile(load, most)
    executor.drop(executor.size() - each)
    executor.add([one for one in others for _ in range(each)])


def _speed(
    plan: Plan,
    executor: Crew,
    known: tuple[Evaluation, ...],
    interrupted: Callable[[], bool],
) -> Speed | None:
    """Return the speed of earlier trainings, else of a short probe of all workers at once."""
    workers = executor.size()
    remembered = remembered_speed(plan.config, known, workers)
    if remembered is not None:
        return remembered
    if interrupted():
        return None
    found = probed(executor, _probe(plan), workers, interrupted)
    speed = sum(one.images_per_second for one in found) / workers
    return Speed(speed, workers) if found else None


def _probe(plan: Plan) -> Job:
    """Return a job that tells the speed of the plain network."""
    return Job(
        id=PROBE,
        attempt=1,
        architecture=plain(plan.config.backbone).to_json(),
        seed=0,
        protocol=plan.config.protocol,
        device=plan.device,
        data_dir=plan.data_dir,
        probe_seconds=PROBE_SECONDS,
    )
