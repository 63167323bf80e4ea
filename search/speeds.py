"""What timed training steps say of a machine: its speed, its limit, the time of a study."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import mean, median, stdev

from space import Architecture, cost

from .config import Precision, StudyConfig
from .forecast import Speed, forecast_seconds, images_of_epoch

FLOP_PER_MAC = 6  # a product and a sum, once forward and twice backward


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the steps were timed."""

    device: str  # cpu or cuda
    name: str  # of the processor
    num_units: int  # cores or GPUs: no more workers than these run side by side
    precision: Precision
    torch: str  # version


@dataclass(frozen=True, slots=True)
class Timing:
    """Training steps of one network, timed once in each round."""

    name: str  # of the backbone, of the mechanism, or a number
    architecture: Architecture
    batch_size: int
    seconds: tuple[float, ...]  # of one step, round by round

    @property
    def images_per_second(self) -> float:
        """Return the training images of a second, without validation."""
        return self.batch_size / median(self.seconds)

    @property
    def flop_rate(self) -> float:
        """Return the FLOP per second of the formula's work."""
        return FLOP_PER_MAC * cost(self.architecture).macs * self.images_per_second

    def ratio(self, plain: "Timing") -> float:
        """Return the time of a step over the plain network's in the same round, in the median."""
        pairs = zip(self.seconds, plain.seconds, strict=True)
        return median(own / other for own, other in pairs)


@dataclass(frozen=True, slots=True)
class MeanRatio:
    """How much longer random architectures train than the plain network."""

    mean: float
    error: float  # standard error over the architectures; 0 of one
    num_architectures: int


@dataclass(frozen=True, slots=True)
class Speeds:
    """What one worker of this machine does."""

    machine: Machine
    matrix_rate: float  # FLOP per second of the fastest product of square matrices
    backbones: tuple[Timing, ...]  # plain, at the batch of a study where time allows
    plain: Timing  # of the searched backbone, with the batch of all that follows
    mechanisms: tuple[Timing, ...]
    drawn: tuple[Timing, ...]  # random architectures
    out_of_memory: tuple[str, ...]  # what could not be timed

    @property
    def searched(self) -> Timing:
        """Return the searched backbone, plain, at the batch of a study where time allows."""
        name = self.plain.architecture.backbone
        return next((one for one in self.backbones if one.name == name), self.plain)

    def share(self, timing: Timing) -> float:
        """Return what part of the machine's limit a network reaches."""
        return timing.flop_rate / self.matrix_rate

    def mean_ratio(self) -> MeanRatio:
        """Return the random architectures' time over plain."""
        return _mean_ratio(one.ratio(self.plain) for one in self.drawn)


@dataclass(frozen=True, slots=True)
class Study:
    """A new study with the defaults of `search run`, and how long it would take."""

    command: str  # that would run it
    config: StudyConfig
    num_trials: int
    num_workers: int
    seconds: float


def study_of(
    speeds: Speeds, config: StudyConfig, num_trials: int, *, num_workers: int | None, command: str
) -> Study:
    """Return the study's time: its trials at the measured ratio, and its references.

    By default one worker for each core or GPU; more are taken to be no faster.
    """
    num_units = speeds.machine.num_units
    wanted = min(num_trials, num_workers or num_units)
    at_once = min(wanted, num_units)
    speed = Speed(speeds.searched.images_per_second, at_once)
    epoch = images_of_epoch(config) / speed.images_per_second
    trials = num_trials * speeds.mean_ratio().mean * config.protocol.epochs * epoch / at_once
    references = forecast_seconds(config, speed, 0, ())  # of no trials
    return Study(command, config, num_trials, wanted, trials + references)


def _mean_ratio(ratios: Iterable[float]) -> MeanRatio:
    found = [*ratios]
    error = stdev(found) / len(found) ** 0.5 if len(found) > 1 else 0.0
    return MeanRatio(mean(found), error, len(found))
