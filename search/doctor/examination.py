"""All areas at once, each in a thread of its own: one that hangs cannot keep the others."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from .data import data_findings
from .database import database_findings, refuse_unknown
from .device import device_findings
from .finding import Finding
from .machine import machine_findings
from .packages import package_findings
from .ray import ray_findings

TIMEOUT_SECONDS = 60.0  # a network file system whose server is gone answers never
Examine = Callable[[], list[Finding]]
Answer = list[Finding] | Exception


def examined(url: str, data_dir: Path | None) -> list[Finding]:
    """Return the findings of all areas.

    Raises:
        Refusal: the URL can be no study's.
    """
    refuse_unknown(url)
    areas: dict[str, Examine] = {
        "machine": machine_findings,
        "packages": package_findings,
        "device": device_findings,
        "data": lambda: data_findings(data_dir),
        "database": lambda: database_findings(url),
        "ray": ray_findings,
    }
    return all_findings(areas, TIMEOUT_SECONDS)


def all_findings(areas: Mapping[str, Examine], seconds: float) -> list[Finding]:
    """Return every area's findings in their order; one that gives no answer in time has one."""
    queue: SimpleQueue[tuple[str, Answer]] = SimpleQueue()
    for name, examine in areas.items():
        Thread(target=_examine, args=(queue, name, examine), daemon=True).start()
    answers = _answers(queue, len(areas), time.monotonic() + seconds)
    return [one for name in areas for one in _findings(name, answers.get(name), seconds)]


def _examine(queue: SimpleQueue[tuple[str, Answer]], name: str, examine: Examine) -> None:
    try:
        queue.put((name, examine()))
    except Exception as error:  # the main thread says it, or raises it again
        queue.put((name, error))


def _answers(queue: SimpleQueue[tuple[str, Answer]], number: int, end: float) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    while len(found) < number:
        try:
            name, answer = queue.get(timeout=max(0.0, end - time.monotonic()))
        except Empty:
            break
        found[name] = answer
    return found


def _findings(area: str, answer: Answer | None, seconds: float) -> list[Finding]:
    if answer is None:
        remedy = "look for a network disk or a driver that hangs, or for what keeps all cores busy"
        return [Finding(area, "problem", f"no answer within {seconds:.0f} s", remedy)]
    if isinstance(answer, OSError):
        what = " ".join(str(answer).split())
        return [Finding(area, "problem", what, "mend that and run it again")]
    if isinstance(answer, Exception):
        raise answer
    return answer
