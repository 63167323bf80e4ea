"""Short trainings before a run: how many workers a device feeds, and how fast they are."""

from collections.abc import Callable

from space import plain
from studies import Evaluation

from .crew import PROBE, Crew, Load, load_of, probed, worthwhile
from .executors import Job, LocalExecutor
from .executors.environments import num_cores
from .forecast import Speed, remembered_speed
from .plan import Plan

PROBE_SECONDS = 2.0


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


def worker_speed(
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
