"""One call of the command line, in this process, judged by what bad input may and may not do."""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest

from search.cli import run_command
from tests.search.hostile.yard import listing, put_back

SECONDS = 120  # for one case, on a machine that is busy; the slowest takes 3 s of one core
# `data verify` says with a 1 that an array is missing; see its help.
PROBLEM_CODES = (0, 1, 2)  # of what looks for problems, and may find some


class Started(BaseException):
    """The input was good: a worker, a download or a server would start now."""


class Hung(BaseException):
    """The case did not end."""


class Reached(BaseException):
    """The case would have talked to the network or started a program."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a case said, and its exit code; None where the work would have begun."""

    code: int | None
    out: str
    err: str


_watched = False  # while a case runs


def _forbid(event: str, arguments: tuple[object, ...]) -> None:
    if not _watched:
        return
    is_program = event == "subprocess.Popen" and arguments[0] != "uname"  # which platform asks
    if is_program or event in ("socket.connect", "socket.getaddrinfo"):
        raise Reached(event)


sys.addaudithook(_forbid)


def stop_at_work(patch: pytest.MonkeyPatch) -> None:
    """Have what would take time or the network say that it was reached, after all checks of it."""
    import search.dashboard
    import search.training.cifar
    import search.training.worker
    from search.executors import LocalExecutor

    def started(*_: object, **__: object) -> None:
        raise Started

    patch.setattr(LocalExecutor, "__init__", started)
    patch.setattr(search.training.cifar, "obtain", started)
    patch.setattr(search.training.worker, "seeded_model", started)
    patch.setattr(search.dashboard, "serve", started)


def heard(arguments: Sequence[str]) -> Heard:
    """Run one command within the time, with the streams of a real call."""
    out, err = (_stream() for _ in range(2))
    code: int | None = None
    with contextlib.ExitStack() as around:
        around.enter_context(contextlib.redirect_stdout(out))
        around.enter_context(contextlib.redirect_stderr(err))
        around.enter_context(contextlib.suppress(Started, SystemExit))
        around.enter_context(_limited())
        code = run_command(arguments)
    return Heard(code, *(_text(one) for one in (out, err)))


def judge(arguments: Sequence[str], template: Path, *, own: str | None = None) -> Heard:
    """Run a case in the working folder, a copy of the template; fail if it misbehaves.

    What begins with `own` may change: a study that is found damaged only when it goes on.
    """
    folder = Path.cwd()
    before = listing(folder)
    try:
        found = heard(arguments)
        looks = "doctor" in arguments[:1] or tuple(arguments[:2]) == ("data", "verify")
        assert found.code in (None, *(PROBLEM_CODES if looks else (0, 2))), found
        if found.code == 2:
            (line,) = found.err.splitlines()
            assert line.startswith("search: "), line
            assert line.isprintable(), line
            after = listing(folder)
            for name in (*before, *after):
                is_own = own is not None and name.startswith(own)
                assert is_own or before.get(name) == after.get(name), f"a refusal changed {name}"
    finally:
        os.chdir(folder)
        if listing(folder) != before:
            put_back(folder, template)
    return found


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")  # as main's


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Watch the network, and end what takes too long."""
    global _watched  # an audit hook cannot be taken off

    def hung(_signal: int, _frame: FrameType | None) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(SECONDS)
    _watched = True
    try:
        yield
    finally:
        _watched = False
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
