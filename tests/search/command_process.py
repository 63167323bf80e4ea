"""The command line in a process of its own, with a trainer without torch."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from search import session
from search.cli import run_command

if __name__ == "__main__":
    session.TRAINER = "tests.search.fake_trainer:train"
    sys.exit(run_command(sys.argv[1:]))
