"""How near are the estimates of many networks, by way of some, to the exact ones?

    OMP_NUM_THREADS=1 PYTHONPATH=. python -m benchmarks.induced [--networks 600 1000] [--studies 2]

Made-up studies of the real space (those of `benchmarks.scale`), each estimated twice. Differences
are in units of the exact standard error; seconds are of the processor. Needs no GPU and no data.
"""

import time
from argparse import Namespace
from dataclasses import asdict, dataclass
from itertools import takewhile
from unittest.mock import patch

import numpy as np
from rich.table import Table

from space import Architecture, cost, digest, plain
from studies.estimates import posterior
from studies.estimates.posterior import Estimate, estimates, posterior_of

from .figures import parser_of, positive, publish
from .scales.study import BACKBONE, made_up_config, trainings

SIZES = (600, 1000, 1500, 2000)
NUM_BEST = 20  # that are compared beside the front


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two estimates of one study differ on its front and its best networks, and on all."""

    exact_seconds: float
    induced_seconds: float
    num_compared: int
    largest: float  # difference of accuracies
    largest_gain: float
    least_error: float  # ratio of the standard errors
    most_error: float
    of_all: float  # root mean square of the differences of all networks


def made_up(
    num_networks: int, seed: int
) -> tuple[dict[str, Architecture], dict[str, list[float]]]:
    """Return the networks and their accuracies, by digest."""
    networks: dict[str, Architecture] = {}
    runs: dict[str, list[float]] = {}
    found = trainings(made_up_config(), 2 * num_networks, seed)
    for one in takewhile(lambda _: len(networks) < num_networks, found):
        if one.trial is not None:
            key = digest(one.architecture)
            networks[key] = one.architecture
            runs.setdefault(key, []).append(one.accuracy)
    return networks, runs


def timed(
    networks: dict[str, Architecture], runs: dict[str, list[float]], most_exact: int
) -> tuple[dict[str, Estimate], float]:
    """Return the estimates, exact up to so many networks, and the seconds they took."""
    began = time.process_time()
    with patch.object(posterior, "MOST_EXACT", most_exact):
        found = posterior_of(runs, digest(plain(BACKBONE)), architectures=networks)
    return estimates(runs, found), time.process_time() - began


def compared(networks: dict[str, Architecture], exact: dict[str, Estimate]) -> list[str]:
    """Return the digests of the front and of the highest estimates, without plain."""
    best, front = -np.inf, []
    for key in sorted(networks, key=lambda key: (cost(networks[key]).macs, -exact[key].accuracy)):
        if exact[key].accuracy > best:
            front.append(key)
            best = exact[key].accuracy
    top = sorted(networks, key=lambda key: -exact[key].accuracy)[:NUM_BEST]
    return [one for one in dict.fromkeys([*front, *top]) if not networks[one].is_plain]


def agreement(num_networks: int, seed: int) -> Agreement:
    """Return how both ways agree on one made-up study."""
    networks, runs = made_up(num_networks, seed)
    exact, exact_seconds = timed(networks, runs, len(networks))
    induced, induced_seconds = timed(networks, runs, 0)
    apart = {
        key: abs(induced[key].accuracy - one.accuracy) / one.standard_error
        for key, one in exact.items()
    }
    kept = compared(networks, exact)
    gains = [abs(induced[key].gain - exact[key].gain) / exact[key].gain_error for key in kept]
    ratios = [induced[key].standard_error / exact[key].standard_error for key in kept]
    return Agreement(
        exact_seconds,
        induced_seconds,
        num_compared=len(kept),
        largest=max(apart[key] for key in kept),
        largest_gain=max(gains),
        least_error=min(ratios),
        most_error=max(ratios),
        of_all=float(np.sqrt(np.mean(np.square(list(apart.values()))))),
    )


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--networks", type=positive, nargs="+", default=list(SIZES))
    parser.add_argument("--studies", type=positive, default=3)
    return parser.parse_args()


def main() -> None:
    """Print a row for each number of networks."""
    options = parsed()
    table = Table(
        *("networks", "exact, s", "by way of some, s", "largest difference", "of a gain"),
        *("standard errors' ratio", "all networks, rms"),
    )
    facts: dict[str, object] = {}
    for size in options.networks:
        found = [agreement(size, seed) for seed in range(options.studies)]
        table.add_row(
            str(size),
            f"{np.mean([one.exact_seconds for one in found]):.1f}",
            f"{np.mean([one.induced_seconds for one in found]):.1f}",
            f"{max(one.largest for one in found):.2f}",
            f"{max(one.largest_gain for one in found):.2f}",
            f"{min(one.least_error for one in found):.2f} to "
            f"{max(one.most_error for one in found):.2f}",
            f"{max(one.of_all for one in found):.2f}",
        )
        facts[str(size)] = [asdict(one) for one in found]
    publish(table, {"studies": options.studies, "networks": facts}, options.out)


if __name__ == "__main__":
    main()
