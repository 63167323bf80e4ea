"""Times the training steps of many networks in turn, in one worker, until the time is used up.

In every round each network takes its steps once, in a random order, so that other work on the
machine meets them all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import log2
from random import Random
from signal import SIGKILL
from time import perf_counter
from typing import Literal

from space import Architecture, Refusal, baselines, cost, plain, random_architecture

from .config import Protocol, StudyConfig
from .executors import Executor, Failed, Job, Lost, ProbeDone
from .speeds import FLOP_PER_MAC, Machine, Speeds, Timing

TRAINER = "search.training.bench:step_job"
BACKBONES = {
    "cpu": ("resnet8", "resnet20", "resnet18"),
    "cuda": ("resnet20", "resnet18", "resnet50"),
}
NUM_DRAWN = 8
PATIENCE = 300.0  # seconds for one step
USUAL_SHARE = 0.5  # of the matrix rate, to choose batches by; one core of Zen 3 had 0.6 to 0.9
BACKBONE_PART, OTHER_PART = 1 / 40, 1 / 200  # of the whole time, for one step

Group = Literal["backbones", "plain", "mechanisms", "drawn"]
Show = Callable[[str], None]


@dataclass(slots=True)
class Network:
    """A network that is being timed."""

    group: Group
    name: str
    architecture: Architecture
    batch_size: int
    seconds: list[float] = field(default_factory=list)  # of a step, round by round
    fits: bool = True  # into memory

    def timing(self) -> Timing:
        """Return what was timed; the first round only warms up, unless it is the only one."""
        kept = tuple(self.seconds[1:] or self.seconds)
        return Timing(self.name, self.architecture, self.batch_size, kept)


def measured(
    executor: Executor,
    config: StudyConfig,
    machine: Machine,
    *,
    max_seconds: float,
    matrix_rate: Callable[[], float],
    show: Show,
) -> Speeds:
    """Return the speeds of one worker, after about `max_seconds`.

    Raises:
        Refusal: the searched backbone needs more memory than there is, or a training fails.
    """
    deadline = perf_counter() + max_seconds
    show("matrix products")
    rates = [matrix_rate()]
    networks = networks_of(config, machine.device, rates[0], max_seconds)
    shuffled = Random(0)
    for number in _rounds(deadline):
        rates.append(matrix_rate())
        for one in shuffled.sample(networks, len(networks)):
            show(f"round {number}: {one.name}" if number else f"warm-up: {one.name}")
            _time(one, executor, config.protocol, machine.device)
    return _speeds(networks, machine, max(rates), config.backbone)


def networks_of(
    config: StudyConfig, device: str, rate: float, max_seconds: float
) -> tuple[Network, ...]:
    """Return all that is timed: plain backbones, mechanisms, and random architectures."""
    searched, generator = config.search_space, Random(0)
    most = config.protocol.batch_size
    names = dict.fromkeys((*BACKBONES[device], config.backbone))
    bare = {name: plain(name) for name in names}
    long, short = BACKBONE_PART * max_seconds, OTHER_PART * max_seconds
    few = batch_within(cost(bare[config.backbone]).macs, rate, short, most)
    drawn = [random_architecture(generator, searched) for _ in range(NUM_DRAWN)]
    return (
        *(
            Network("backbones", name, one, batch_within(cost(one).macs, rate, long, most))
            for name, one in bare.items()
        ),
        Network("plain", config.backbone, bare[config.backbone], few),
        *(Network("mechanisms", kind, one, few) for kind, one in baselines(searched).items()),
        *(Network("drawn", f"random {n}", one, few) for n, one in enumerate(drawn, start=1)),
    )


def batch_within(macs: int, rate: float, seconds: float, most: int) -> int:
    """Return the largest power of two whose step should take no more than `seconds`; 2 to most."""
    num_images = seconds * USUAL_SHARE * rate / (FLOP_PER_MAC * macs)
    return max(2, min(most, 1 << int(log2(max(num_images, 1)))))


def _rounds(deadline: float) -> Iterator[int]:
    """Yield the numbers of rounds, from 0, until another like the last would end too late."""
    number, last = 0, 0.0
    while number == 0 or perf_counter() + last <= deadline:
        started = perf_counter()
        yield number
        last = perf_counter() - started
        number += 1


def _time(network: Network, executor: Executor, protocol: Protocol, device: str) -> None:
    """Time the steps of one round; a network that finds no memory is left out from then on."""
    if not network.fits:
        return
    own = protocol.model_copy(update={"batch_size": network.batch_size})
    executor.submit(Job(0, 1, network.architecture.to_json(), 0, own, device))
    answer = _answer(executor)
    if isinstance(answer, ProbeDone):
        network.seconds.append(network.batch_size / answer.probed.images_per_second)
    elif _ran_out_of_memory(answer):
        network.fits = False
    else:
        raise Refusal(f"no step of {network.name} could be timed: {answer.reason}")


def _ran_out_of_memory(answer: Failed | Lost) -> bool:
    """Say so; where a system is out of memory it kills the worker."""
    killed = isinstance(answer, Lost) and answer.reason.endswith(f"code {-SIGKILL}")
    return killed or (isinstance(answer, Failed) and answer.out_of_memory)


def _answer(executor: Executor) -> ProbeDone | Failed | Lost:
    deadline = perf_counter() + PATIENCE
    while perf_counter() < deadline:
        for event in executor.events(0.5):
            if isinstance(event, ProbeDone | Failed | Lost):
                return event
    raise Refusal(f"a step took more than {PATIENCE:.0f} s; name a smaller --backbone")


def _speeds(
    networks: tuple[Network, ...], machine: Machine, matrix_rate: float, searched: str
) -> Speeds:
    def timings(group: Group) -> tuple[Timing, ...]:
        return tuple(one.timing() for one in networks if one.group == group and one.fits)

    if not timings("plain") or not timings("drawn"):
        raise Refusal(f"memory ran out training {searched}; name a smaller --backbone")
    return Speeds(
        machine,
        matrix_rate,
        timings("backbones"),
        timings("plain")[0],
        timings("mechanisms"),
        timings("drawn"),
        tuple(one.name for one in networks if not one.fits),
    )
