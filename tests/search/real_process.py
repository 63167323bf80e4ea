"""The command line with the real trainer, whose workers write a checkpoint behind every epoch."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from search import checkpoint_files
from search.cli import run_command

if __name__ == "__main__":
    checkpoint_files.EVERY_SECONDS = 0.0
    sys.exit(run_command(sys.argv[1:]))
