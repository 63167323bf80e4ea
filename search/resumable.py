"""Work on a study that can be ended at any time and goes on with the same command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from studies import OpenStudy, only_driver

from .interruption import gentle_interruption

INTERRUPTED = 130


@contextmanager
def resumable(study: OpenStudy, say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Hold the study's lock and yield a function that says whether Ctrl-C has come.

    Raises:
        Exit: it came; with code 130, and a line on how to go on.
        Refusal: another process runs the study.
    """
    try:
        with only_driver(study.url, study.name), gentle_interruption() as interrupted:
            yield interrupted
            if interrupted():
                say("ended by Ctrl-C; the same command goes on")
                raise typer.Exit(INTERRUPTED)
    except KeyboardInterrupt as error:
        say("ended at once; the same command goes on")
        raise typer.Exit(INTERRUPTED) from error
