"""The variables a worker starts with: its device, its threads, how it keeps memory."""

import os
from collections.abc import Mapping

Environment = Mapping[str, str]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# The C library gives large blocks back at once and takes them again, page by page, in the next
# operation. Kept, two workers trained ResNet-20 1.09 times as fast (docs/performance.md).
KEPT_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "4000000000"}
VISIBLE = "CUDA_VISIBLE_DEVICES"


def worker_environments(
    device: str, num_devices: int, wanted: int | None
) -> tuple[Environment, ...]:
    """Return one environment for each worker.

    By default one worker for each GPU, else one for each core; each has one thread, because two
    OpenMP threads on a shared machine were slower than one (1,394 against 278 images/s).
    """
    if device == "cpu":
        return ({**ONE_THREAD, **KEPT_MEMORY, VISIBLE: ""},) * (wanted or num_cores())
    visible = os.environ.get(VISIBLE, ",".join(str(index) for index in range(num_devices)))
    names = visible.split(",")[:num_devices]
    workers = wanted or num_devices
    return tuple({**ONE_THREAD, VISIBLE: names[i % len(names)]} for i in range(workers))


def num_cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
