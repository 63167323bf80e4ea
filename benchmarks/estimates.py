"""How optimistic are the estimates, and how often is a gain called certain that is none?

Command: `PYTHONPATH=. python benchmarks/estimates.py [--studies 150]`. Needs no GPU and no data.

Made-up truths on random architectures of ResNet-20: each for itself, or a sum of what each
mechanism is worth in each stage. Estimated from the runs alone, and with likeness.
"""

import argparse
from dataclasses import dataclass
from random import Random

import numpy as np

from space import Architecture, SearchSpace, digest, plain, random_architecture
from studies.estimates.posterior import estimates, posterior_of
from studies.front import CONFIDENCE

SPACE = SearchSpace(backbone="resnet20")
PLAIN = plain("resnet20")
LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class Case:
    """A population of architectures; deviations in points."""

    true_sd: float
    noise_sd: float
    num_architectures: int
    num_replicated: int
    is_sum: bool = False  # of the worths of mechanisms in stages


CASES = (
    Case(0, 0.3, 15, 0),
    Case(0, 0.3, 40, 0),
    Case(0, 0.3, 40, 10),
    Case(0, 0.3, 150, 50),
    Case(0.14, 0.2, 100, 10),
    Case(0.14, 0.35, 100, 30),
    Case(0.4, 0.2, 40, 0, is_sum=True),
    Case(0.14, 0.2, 100, 10, is_sum=True),
    Case(0.14, 0.35, 100, 30, is_sum=True),
)


def truth_of(
    case: Case, networks: dict[str, Architecture], generator: np.random.Generator
) -> dict[str, float]:
    """Return true accuracies: plain's is the level."""
    worth = generator.normal(0, 1, (len(SPACE.kinds), len(SPACE.stages)))

    def gain(network: Architecture) -> float:
        if not case.is_sum:
            return 0.0 if network.is_plain else float(generator.normal())
        placed = [(s[0].attention.kind, n) for n, s in enumerate(network.stages) if s]
        return sum(float(worth[SPACE.kinds.index(kind), n]) for kind, n in placed) / 3**0.5

    return {key: LEVEL + case.true_sd / 100 * gain(one) for key, one in networks.items()}


def simulated(case: Case, generator: np.random.Generator) -> tuple[float, ...]:
    """Return the optimism of the best raw mean, and for each estimate that and if any is sure."""
    draws = Random(int(generator.integers(2**31)))
    drawn = [random_architecture(draws, SPACE) for _ in range(case.num_architectures)]
    networks = {digest(one): one for one in (PLAIN, *drawn)}
    truth = truth_of(case, networks, generator)
    counts = [3, *(1 + (number < case.num_replicated) for number in range(len(truth) - 1))]
    noise = case.noise_sd / 100
    seen = {
        key: list(generator.normal(value, noise, count))
        for (key, value), count in zip(truth.items(), counts, strict=True)
    }
    raw = max(seen, key=lambda key: float(np.mean(seen[key])))
    found = [100 * (float(np.mean(seen[raw])) - truth[raw])]
    for likeness in (None, networks):
        known = estimates(seen, posterior_of(seen, digest(PLAIN), architectures=likeness))
        best = max(known, key=lambda key: known[key].accuracy)
        found.append(100 * (known[best].accuracy - truth[best]))
        found.append(any(one.probability_better > CONFIDENCE for one in known.values()))
    return tuple(found)


def main() -> None:
    """Print one row for each case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=150)
    num_studies = parser.parse_args().studies
    print("true sd / noise sd, truth, architectures, replicated | raw | own runs | with likeness")
    for case in CASES:
        generator = np.random.default_rng(0)
        table = np.array([simulated(case, generator) for _ in range(num_studies)], dtype=float)
        raw, own, sure, alike, alike_sure = table.mean(axis=0)
        kind = "a sum" if case.is_sum else "each for itself"
        print(
            f"{case.true_sd} / {case.noise_sd}, {kind}, {case.num_architectures}, "
            f"{case.num_replicated} | {raw:.2f} | {own:.2f}, {100 * sure:.0f} % | "
            f"{alike:.2f}, {100 * alike_sure:.0f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
