"""Keep the trainings of a study of ResNet-8 beside the surrogate, which is fitted to them.

PYTHONPATH=. python -m benchmarks.surrogates.keep sqlite:///FILE
"""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter

from space import Refusal

from .source import BACKBONE
from .trainings import STUDY_FILE, runs_of_study, store_runs


def main() -> int:
    """Write the file; return 2 if there is no such study."""
    parser = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("study", metavar="sqlite:///FILE")
    try:
        runs = runs_of_study(parser.parse_args().study, BACKBONE)
    except Refusal as error:
        print(error, file=sys.stderr)
        return 2
    store_runs(runs)
    print(f"{len(runs)} trainings in {STUDY_FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
