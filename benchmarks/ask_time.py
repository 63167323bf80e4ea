"""Seconds of one proposal by known-cost in studies of several sizes, on one core.

    OMP_NUM_THREADS=1 PYTHONPATH=. python -m benchmarks.ask_time [--backbone resnet20] [--rounds 6]

Random networks with made-up accuracies, and one that is training. Needs no GPU and no data.
"""

import time

import numpy as np
from rich.table import Table

from search.samplers.catalogue import Catalogue
from search.samplers.known_cost import propose
from search.samplers.objective import objective_of
from space import Architecture, SearchSpace, cost, digest, plain
from studies import Evaluation

from .figures import median_of, parser_of, positive, publish

SIZES = (60, 200, 400, 1000)  # evaluations


def made_up(number: int, network: Architecture, accuracy: float | None) -> Evaluation:
    """Return a training that ended, or goes on where no accuracy is given."""
    state, correct = ("running", None) if accuracy is None else ("complete", bytes(625))
    return Evaluation(
        *(number, number, number, "trial", digest(network), network, cost(network), number),
        *(state, 1, None, accuracy, correct, 1.0, 1.0),  # type: ignore[arg-type] # a state
    )


def main() -> None:
    """Print the seconds of an ask for each size; the first, which makes the catalogue, is left."""
    parser = parser_of(__doc__)
    parser.add_argument("--backbone", default="resnet20")
    parser.add_argument("--rounds", type=positive, default=6)
    options = parser.parse_args()
    space, rng = SearchSpace(backbone=options.backbone), np.random.default_rng(0)
    catalogue, objective = Catalogue(space), objective_of(space, "macs", {})
    drawn = [catalogue.architecture(row) for row in catalogue.random(max(SIZES) + 1, rng)]
    networks = [plain(options.backbone)] * 3 + drawn
    table, found = Table("evaluations", "seconds of an ask"), dict[str, object]()
    for size in SIZES:
        known = [made_up(n, networks[n], 0.9 + 0.004 * rng.normal()) for n in range(size)]
        known.append(made_up(size, networks[size], None))
        seconds = []
        for number in range(options.rounds + 1):
            started = time.perf_counter()
            propose(known, space, objective, np.random.default_rng(number))
            seconds.append(time.perf_counter() - started)
        found[str(size)] = seconds[1:]
        table.add_row(str(size), median_of(seconds[1:]).in_words(2))
    publish(table, found, options.out)


if __name__ == "__main__":
    main()
