"""The workers of a pilot, and how fast each of its networks trains on them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from space import Architecture, Refusal, placements_in_words

from ..config import StudyConfig
from ..crew import PATIENCE, PROBE, probed
from ..driver import Limits
from ..executors import Job, LocalExecutor
from ..executors.environments import Environment
from ..plan import Plan
from ..probes import find_workers
from .networks import expected_speeds, pilot_networks
from .plan import Pace

PROBE_SECONDS = 2.0  # of each network, or this share of the budget where that is less
PROBE_SHARE = 1 / 200
ALL_PROBES = 1 / 20  # of the budget goes to probes; the plain network is always probed
MANY = 1000  # trainings: their number limits no workers
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pilot:
    """What to measure, where, and how long; one environment as in `search.plan.Plan`."""

    config: StudyConfig
    device: str
    environments: tuple[Environment, ...]
    budget: float  # seconds of wall time
    out: Path
    say: Say
    data_dir: Path | None = None
    finds_workers: bool = False

    @property
    def lines(self) -> Path:
        """Return the file beside `out` that keeps finished trainings."""
        return self.out.with_suffix(".pilot.jsonl")

    @property
    def settings(self) -> dict[str, object]:
        """Return what trainings must share to be read together."""
        base = self.config.protocol.model_dump(mode="json", exclude={"epochs", "train_images"})
        own = {"backbone": self.config.backbone, "seed": self.config.seed, "device": self.device}
        return {**own, "workers": len(self.environments), **base}


def environments_of(pilot: Pilot, pace: Pace | None) -> tuple[Environment, ...]:
    """Return one for each worker of an earlier call, else what the pilot begins with."""
    if pace is not None:
        each = pace.num_workers // len(pilot.environments)
        return tuple(one for one in pilot.environments for _ in range(each))
    return pilot.environments[: 1 if pilot.finds_workers else None]


def measured_pace(
    pilot: Pilot, executor: LocalExecutor, began: float, interrupted: Callable[[], bool]
) -> Pace | None:
    """Return every network's speed with all workers at work, since `began`; None after Ctrl-C.

    Networks are probed, the plain one first, while a twentieth of the budget lasts.

    Raises:
        Refusal: a probed network cannot be trained here.
    """
    networks = pilot_networks(pilot.config.backbone)
    if pilot.finds_workers:
        _find_workers(pilot, executor, interrupted)
    speeds: dict[str, float] = {}
    last = 0.0  # seconds that a probe took
    for name, network in networks.items():
        if interrupted():
            return None
        before = time.monotonic()
        if speeds and before - began + last > ALL_PROBES * pilot.budget:
            break
        found = probed(executor, _probe(pilot, network), executor.size(), interrupted)
        if not found and not interrupted():
            raise Refusal(
                f"the speed of {placements_in_words(network)} must be known within "
                f"{PATIENCE:.0f} s, got none: end other work on the machine, or name a smaller "
                f"--batch-size (now {pilot.config.protocol.batch_size}) or --backbone"
            )
        speeds[name] = sum(one.images_per_second for one in found) / executor.size()
        last = time.monotonic() - before
    if interrupted():
        return None
    spent = time.monotonic() - began
    return Pace(expected_speeds(networks, speeds), executor.size(), spent)


def _find_workers(pilot: Pilot, executor: LocalExecutor, interrupted: Callable[[], bool]) -> None:
    """Give each GPU the workers that a study would give it."""
    plan = Plan(
        pilot.config,
        url="",
        study="pilot",
        limits=Limits(MANY),
        device=pilot.device,
        environments=pilot.environments,
        data_dir=pilot.data_dir,
    )
    find_workers(plan, executor, interrupted, MANY)


def _probe(pilot: Pilot, network: Architecture) -> Job:
    seconds = min(PROBE_SECONDS, PROBE_SHARE * pilot.budget)
    protocol, device = pilot.config.protocol, pilot.device
    return Job(PROBE, 1, network.to_json(), 0, protocol, device, pilot.data_dir, seconds)
