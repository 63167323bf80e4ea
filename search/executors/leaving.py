"""What a worker still does when its driver is gone or has it end: it saves what it has."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import wait
from types import FrameType
from typing import NoReturn

_saves: list[Callable[[], None]] = []  # at most one: a worker has one job


def save_at_leaving(save: Callable[[], None] | None) -> None:
    """Have this called before the process ends early; None takes it back."""
    _saves[:] = [] if save is None else [save]


def leave_when_told() -> None:
    """End this process early, whatever it does, when its driver is gone or sends SIGTERM."""
    signal.signal(signal.SIGTERM, leave)
    threading.Thread(target=_leave_with_driver, daemon=True).start()


def _leave_with_driver() -> None:
    driver = parent_process()
    assert driver is not None
    wait([driver.sentinel])
    leave()


def leave(_number: int = 0, _frame: FrameType | None = None) -> NoReturn:
    """End this process now, but for what is to be saved."""
    for save in _saves[:]:
        with suppress(Exception):  # nobody is left to hear of it
            save()
    os._exit(1)
