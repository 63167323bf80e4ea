"""Many replays in processes, kept in a file as they end: what is asked for, and doing it."""

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from space import Refusal

from ..parallel import in_processes
from .ground import Ground
from .play import Played
from .store import Some, store, stored


def add_options(parser: ArgumentParser, available: Sequence[str], *, processes: int) -> None:
    """Add what all commands of replays are asked: how many, of which methods, and how long."""
    from ..figures import positive, positive_minutes, writable  # torch, which no replay needs

    def methods_of(text: str) -> tuple[str, ...]:
        names = tuple(text.split(","))
        for name in names:
            if name not in available:
                raise ArgumentTypeError(f"must be among {', '.join(available)}, got {name}")
        return names

    parser.add_argument("--horizon", type=positive, default=64, help="trainings of a replay")
    parser.add_argument("--replays", type=positive, default=20, help="of each method")
    parser.add_argument("--methods", type=methods_of, default=tuple(available), metavar="A,B")
    parser.add_argument("--again", type=methods_of, default=(), metavar="A,B")
    parser.add_argument("--runs", type=Path, metavar="FILE", help="replays done, as lines")
    parser.add_argument(
        "--minutes", type=positive_minutes, help="stop then; the same command goes on"
    )
    parser.add_argument("--processes", type=positive, default=processes)
    parser.add_argument("--figure", type=writable, metavar="FILE.png", help="draw the scores")


def refuse_short(ground: Ground, horizon: int) -> None:
    """Refuse a horizon within which no method chooses anything.

    Raises:
        Refusal: it is at most the start that all share.
    """
    if horizon <= len(ground.start):
        raise Refusal(
            f"--horizon must be above the {len(ground.start)} trainings that all methods start "
            f"with, got {horizon}"
        )


def completed(
    do: Callable[[Some], Played], tasks: Sequence[Some], options: Namespace
) -> dict[Some, Played]:
    """Do the replays that the file lacks; return all that are done."""
    done = stored(options.runs, [one for one in tasks if one.method not in options.again])
    missing = [one for one in tasks if one not in done]
    seconds = None if options.minutes is None else 60 * options.minutes
    started = time.monotonic()
    found = in_processes(do, missing, processes=options.processes, seconds=seconds)
    for count, (task, played) in enumerate(found, 1):
        store(options.runs, task, played)
        done[task] = played
        left = (time.monotonic() - started) / count * (len(missing) - count)
        print(f"{task.method}, replay {task.replay}; {left:.0f} s left", file=sys.stderr)
    return done


def by_method(done: Mapping[Some, Played], tasks: Iterable[Some]) -> dict[str, list[Played]]:
    """Return some of the replays that are done, by their method."""
    found: dict[str, list[Played]] = {}
    for task in tasks:
        found.setdefault(task.method, []).append(done[task])
    return found
