"""Ctrl-C: once ends the run gently, twice at once."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def gentle_interruption(say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether Ctrl-C (or a SIGTERM) has come; a second one raises.

    Raises:
        KeyboardInterrupt: at the second.
    """
    received: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            raise KeyboardInterrupt
        say("finishing what runs, starting nothing new; Ctrl-C again ends at once")

    before = {one: signal.signal(one, handle) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ended_at_once(line: str) -> Iterator[None]:
    """End the process at Ctrl-C with a line and code 130: nothing here is worth keeping.

    An exception would not do: some imports of large libraries swallow it.
    """

    def handle(*_: object) -> None:
        sys.stdout.flush()
        os.write(2, f"{line}\n".encode())
        os._exit(130)

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
