"""A confirmation: fresh trainings of finalists beside controls, and what the test images say.

The plan is a document that is stored before anything is trained, with what the study claimed then.
Intervals of gains over plain are Dunnett's: together, all of them hold with 95 %. They are of
seeds; other test images are not in them.

Source: Dunnett, A multiple comparison procedure for comparing several treatments with a control,
JASA 50, 1955. The control has more seeds than the rest, as he advises in sec. 5.
"""

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.special import chdtri, stdtrit

from space import Architecture, digest

from ..estimates.posterior import Noise

Array = NDArray[np.float64]
NORMAL = 1.96  # standard errors on either side of a claim
TAIL = 0.025  # on either side of an interval
POWER = 0.8  # of a confirmation, to show a gain of the size that it resolves
DRAWS = 10  # of scipy's random points, until its search for a critical value settles
MOST_SEEDS = 50
Role = Literal["plain", "finalist", "uniform", "random", "deeper"]


class Claim(BaseModel):
    """What the study's posterior said when the confirmation was planned; accuracies 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: float
    standard_error: float | None
    gain: float | None
    gain_error: float | None
    num_evaluations: int

    def gain_in_words(self) -> str:
        """Return the gain in points with half its 95 % interval; nothing if it is unknown."""
        if self.gain is None:
            return ""
        width = "?" if self.gain_error is None else f"{100 * NORMAL * self.gain_error:.2f}"
        return f"{100 * self.gain:+.2f} ± {width}"


class Arm(BaseModel):
    """One network of the comparison and the seeds that train it; a control may have no claim."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    architecture: Architecture
    seeds: tuple[int, ...]
    claim: Claim | None = None

    @property
    def digest(self) -> str:
        """Return the digest of the architecture."""
        return digest(self.architecture)


class Confirmation(BaseModel):
    """All that is to be trained and read, and under which protocols."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    epochs: int
    num_images: int  # of training and validation together
    protocol_digest: str
    own_digest: str  # of the study's protocol, which the fresh trainings have
    fresh_seeds: tuple[int, ...]
    arms: tuple[Arm, ...]  # plain first, then finalists, then the other controls
    noise_sd: float | None = None  # the study's, of one run, when this was planned
    noise_freedom: int | None = None

    @property
    def noise(self) -> Noise | None:
        """Return the study's noise when this was planned, if it was known and stored."""
        if self.noise_sd is None or self.noise_freedom is None:
            return None
        return Noise(self.noise_sd, self.noise_freedom)

    @property
    def key(self) -> str:
        """Return 16 hexadecimal digits of what is trained: the same question, the same key."""
        arms = [(one.role, one.digest, one.seeds) for one in self.arms]
        trained = (self.epochs, self.num_images, self.protocol_digest, self.own_digest)
        text = repr((trained, self.fresh_seeds, arms))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def finalists(self) -> tuple[Arm, ...]:
        """Return the arms that the study recommends."""
        return tuple(one for one in self.arms if one.role == "finalist")


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference of accuracies with its 95 % interval, from -1 to 1."""

    value: float
    low: float
    high: float

    @property
    def includes_zero(self) -> bool:
        """Say whether nothing is shown."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class Optimism:
    """How much more finalists were said to reach than fresh seeds do, under the same protocol."""

    mean: Interval
    num_inside: int  # within the claimed interval, widened by the fresh runs' own error
    num_finalists: int
    num_runs: int  # fresh ones that ended, of all these finalists together


def gains(accuracies: Mapping[str, Sequence[float]], control: str) -> dict[str, Interval]:
    """Return each arm's gain over the control by digest, at least two accuracies in each arm."""
    names = [one for one in accuracies if one != control]
    if not names:
        return {}
    samples = [np.asarray(accuracies[one]) for one in names]
    base = np.asarray(accuracies[control])
    means = [float(one.mean() - base.mean()) for one in samples]
    if all(np.ptp(one) == 0 for one in [*samples, base]):  # no noise at all: nothing to infer from
        return {n: Interval(mean, mean, mean) for n, mean in zip(names, means, strict=True)}
    ends = _dunnett(samples, base)
    return {
        name: Interval(mean, *both) for name, mean, both in zip(names, means, ends, strict=True)
    }


def _dunnett(samples: Sequence[Array], base: Array) -> list[tuple[float, float]]:
    """Return the ends of each interval.

    Scipy integrates by random points and says where its search did not settle: another draw does.
    """
    from scipy.stats import dunnett  # takes seconds to import

    for seed in range(DRAWS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if seed == DRAWS - 1 else "error", UserWarning)
            with suppress(UserWarning):
                test = dunnett(*samples, control=base, rng=np.random.default_rng(seed))
                found = test.confidence_interval()
                return list(zip(map(float, found.low), map(float, found.high), strict=True))
    raise AssertionError("the last draw is taken as it is")


def resolution(sd: float, num_seeds: int, plain_seeds: int, num_arms: int) -> float:
    """Return the true gain over plain that four of five such confirmations would show.

    An interval leaves out zero where the measured gain exceeds its half-width; a true gain of just
    that size does so half the time, so the quantile of the power is added. `num_arms` are compared
    with plain; Bonferroni's bound stands for Dunnett's, which is a little smaller.
    """
    freedom = num_arms * (num_seeds - 1) + plain_seeds - 1
    width = float(stdtrit(freedom, 1 - TAIL / num_arms)) + float(stdtrit(freedom, POWER))
    return width * sd * sqrt(1 / num_seeds + 1 / plain_seeds)


def sd_interval(noise: Noise) -> tuple[float, float]:
    """Return the 95 % interval of a deviation that few replicates told: chi-square's."""
    freedom = noise.degrees_of_freedom
    low, high = (float(chdtri(freedom, tail)) for tail in (TAIL, 1 - TAIL))
    return noise.sd * sqrt(freedom / low), noise.sd * sqrt(freedom / high)


def seeds_to_resolve(gain: float, sd: float, num_arms: int, plain_factor: int) -> int | None:
    """Return the fewest seeds an arm needs to resolve this gain; None beyond 50."""
    return next(
        (
            n
            for n in range(2, MOST_SEEDS + 1)
            if resolution(sd, n, plain_factor * n, num_arms) <= gain
        ),
        None,
    )


def optimism(
    finalists: Sequence[Arm], fresh: Mapping[str, Sequence[float]], noise: Noise | None
) -> Optimism | None:
    """Return claimed less fresh accuracy over the finalists; None where none has a claim.

    A fresh mean counts as inside if it is within the claimed interval widened by its own error, of
    the run-to-run `noise`, whose degrees of freedom Student's quantile has. Claims share what the
    study knows, so their errors are added as if they were wholly correlated: the interval of the
    mean is rather too wide than too narrow.
    """
    if noise is None:
        return None
    over, claimed, own, inside, num_runs = [], [], [], 0, 0
    width = float(stdtrit(noise.degrees_of_freedom, 1 - TAIL))
    for arm in finalists:
        runs = fresh.get(arm.digest, ())
        if arm.claim is None or arm.claim.standard_error is None or not runs:
            continue
        over.append(arm.claim.accuracy - sum(runs) / len(runs))
        claimed.append(arm.claim.standard_error)
        own.append(noise.sd**2 / len(runs))
        num_runs += len(runs)
        inside += abs(over[-1]) <= width * sqrt(claimed[-1] ** 2 + own[-1])
    if not over:
        return None
    mean = sum(over) / len(over)
    reach = width * sqrt(sum(claimed) ** 2 + sum(own)) / len(over)
    return Optimism(Interval(mean, mean - reach, mean + reach), inside, len(over), num_runs)
