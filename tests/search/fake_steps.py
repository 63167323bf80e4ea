"""A trainer for `search bench` without torch: steps take as long as the MACs say."""

from collections.abc import Iterator

from search.executors.jobs import Job, Probed, ShouldStop
from space import Architecture, cost

MACS_PER_SECOND = 1e10


def step(job: Job, _should_stop: ShouldStop) -> Iterator[Probed]:
    """Yield the speed at which the forward pass alone would run."""
    yield Probed(MACS_PER_SECOND / cost(Architecture.from_json(job.architecture)).macs)
