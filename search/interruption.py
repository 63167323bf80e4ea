"""Ctrl-C: once ends the run gently, twice at once; a closed terminal ends it gently, too."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

STREAMS = (1, 2)  # file descriptors of what is printed


@contextmanager
def gentle_interruption() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether Ctrl-C (or SIGTERM, SIGHUP) has come; a second raises.

    From the second on all are ignored: what is to be closed then must not be cut short.

    Raises:
        KeyboardInterrupt: at the second.
    """
    received: list[int] = []
    terminals = [one for one in STREAMS if os.isatty(one)]

    def handle(number: int, _frame: FrameType | None) -> None:
        if received and number == signal.SIGHUP:
            return  # a terminal that closes may send it twice
        received.append(number)
        if len(received) > 1:
            for one in before:
                signal.signal(one, signal.SIG_IGN)
            raise KeyboardInterrupt
        _forget_closed(terminals)
        _tell("finishing what runs, starting nothing new; Ctrl-C again ends at once")

    before = {one: signal.signal(one, handle) for one in _heard()}

    def has_come() -> bool:
        if len(received) > 1:  # what it raised was swallowed: some callbacks of libraries do that
            raise KeyboardInterrupt
        return bool(received)

    try:
        yield has_come
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _heard() -> list[signal.Signals]:
    """Return the signals that end a run; `nohup` has SIGHUP ignored, and so it stays."""
    is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([] if is_ignored else [signal.SIGHUP])]


def _tell(line: str) -> None:
    """Write a line within a signal's handler, where `print` may meet itself and raise."""
    with suppress(OSError):
        os.write(2, f"{line}\n".encode())


def _forget_closed(terminals: list[int]) -> None:
    """Let what is still printed go nowhere where its terminal is closed: it would raise."""
    for one in terminals:
        if not os.isatty(one):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, one)
            os.close(nowhere)


@contextmanager
def ended_at_once(line: str) -> Iterator[None]:
    """End the process at Ctrl-C with a line and code 130: nothing here is worth keeping.

    An exception would not do: some imports of large libraries swallow it.
    """

    def handle(*_: object) -> None:
        with suppress(RuntimeError, OSError):  # it may be what is interrupted
            sys.stdout.flush()
        _tell(line)
        os._exit(130)

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
