"""How optimistic are the estimates, and how often is a gain called certain that is none?

Command: `PYTHONPATH=. python benchmarks/estimates.py [--studies 150]`. Needs no GPU and no data.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from studies.front import CONFIDENCE
from studies.posterior import estimates

PLAIN = "plain"
LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class Case:
    """A population of architectures; deviations in points."""

    true_sd: float
    noise_sd: float
    num_architectures: int
    num_replicated: int


CASES = (
    Case(0, 0.3, 15, 0),
    Case(0, 0.3, 40, 0),
    Case(0, 0.3, 40, 10),
    Case(0, 0.3, 150, 50),
    Case(0.4, 0.2, 40, 0),
    Case(0.14, 0.2, 100, 10),
    Case(0.14, 0.35, 100, 30),
)


def simulated(case: Case, generator: np.random.Generator) -> tuple[float, float, bool]:
    """Return the optimism of the best raw mean and of the best estimate, and if any is certain."""
    truth = {PLAIN: LEVEL}
    for number in range(case.num_architectures):
        truth[str(number)] = generator.normal(LEVEL, case.true_sd / 100)
    runs = {name: 3 if name == PLAIN else 1 for name in truth}
    runs |= {str(number): 2 for number in range(case.num_replicated)}
    noise = case.noise_sd / 100
    seen = {name: list(generator.normal(truth[name], noise, runs[name])) for name in truth}
    known = estimates(seen, PLAIN)
    raw = max(seen, key=lambda name: float(np.mean(seen[name])))
    best = max(known, key=lambda name: known[name].accuracy)
    certain = any(one.probability_better > CONFIDENCE for one in known.values())
    return (
        100 * (float(np.mean(seen[raw])) - truth[raw]),
        100 * (known[best].accuracy - truth[best]),
        certain,
    )


def main() -> None:
    """Print one row for each case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=150)
    num_studies = parser.parse_args().studies
    print("true sd / noise sd, architectures, replicated | raw | estimate | certain")
    for case in CASES:
        generator = np.random.default_rng(0)
        table = np.array([simulated(case, generator) for _ in range(num_studies)], dtype=float)
        raw, best, certain = table.mean(axis=0)
        print(
            f"{case.true_sd} / {case.noise_sd}, {case.num_architectures}, "
            f"{case.num_replicated} | {raw:.2f} | {best:.2f} | {100 * certain:.0f} %"
        )


if __name__ == "__main__":
    main()
