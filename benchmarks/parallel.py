"""Many calls in parallel processes, ended in time."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from typing import TypeVar

Task = TypeVar("Task")
Found = TypeVar("Found")
SPAWN = multiprocessing.get_context("spawn")  # CUDA and thread pools do not survive a fork


def in_processes(
    function: Callable[[Task], Found],
    tasks: Sequence[Task],
    *,
    processes: int,
    seconds: float | None = None,
) -> Iterator[tuple[Task, Found]]:
    """Yield each task with what the function found, in the order in which they end.

    After the seconds, tasks that still run are killed and the rest is not begun.
    """
    pool = ProcessPoolExecutor(processes, SPAWN)
    try:
        futures = {pool.submit(function, task): task for task in tasks}
        with suppress(TimeoutError):
            for future in as_completed(futures, seconds):
                yield futures[future], future.result()
    finally:  # at the end nothing is left to cancel or to kill
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.kill()
