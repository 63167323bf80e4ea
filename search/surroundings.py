"""What a run is stored with, so that a reader can run it again and judge its times."""

import shlex
import sys

from studies.store.sessions import Surroundings, system_in_words, versions

from .executors.environments import num_cores


def surroundings(device: str, hardware: str, num_workers: int) -> Surroundings:
    """Return the machine, the programs, and the words that this process was called with."""
    return Surroundings(
        command=shlex.join(["search", *sys.argv[1:]]),
        device=device,
        hardware=hardware,
        num_cores=num_cores(),
        num_workers=num_workers,
        system=system_in_words(),
        versions=versions(),
    )
