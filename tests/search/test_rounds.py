"""Rounds of timing, with an executor that answers at once."""

from collections import Counter
from collections.abc import Callable

import pytest

from search import rounds
from search.config import StudyConfig, config_of
from search.defaults import with_defaults
from search.executors import Event, Failed, Job, Lost, Probed, ProbeDone
from search.rounds import batch_within, measured, networks_of
from search.speeds import Machine, Speeds
from space import MECHANISMS, Architecture, Refusal, baselines, cost, placements_in_words, plain

MACHINE = Machine("cpu", "Slow 1", 2, "float32", "2.11")
Answer = Callable[[Job, int], Event]


class Scripted:
    """An executor whose answers the test works out from the job and its number."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.jobs: list[Job] = []

    def capacity(self) -> int:
        return 1

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def events(self, timeout: float) -> list[Event]:
        assert timeout > 0
        return [self.answer(self.jobs[-1], len(self.jobs))]

    def stop(self, job: int) -> None:
        raise AssertionError(job)

    def give_up(self, job: int, reason: str) -> None:
        raise AssertionError(job, reason)

    def close(self) -> None:
        raise AssertionError("the executor is the caller's")


@pytest.fixture
def config() -> StudyConfig:
    return config_of(with_defaults({"backbone": "resnet8"}, "cpu", "float32"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let time stand still but for what the test adds."""
    now = [0.0]
    monkeypatch.setattr(rounds, "perf_counter", lambda: now[0])
    return now


def run(executor: Scripted, config: StudyConfig, seconds: float = 1.0) -> Speeds:
    rates = iter(range(10_000_000_000, 20_000_000_000))
    return measured(
        executor,
        config,
        MACHINE,
        max_seconds=seconds,
        matrix_rate=lambda: next(rates),
        show=lambda _: None,
    )


def fixed_speed(job: Job, _number: int) -> Event:
    return ProbeDone(job.id, job.attempt, Probed(100.0))


def test_all_mechanisms_backbones_and_random_architectures_are_timed(config: StudyConfig) -> None:
    found = networks_of(config, "cpu", 1e11, 75.0)
    groups = Counter(one.group for one in found)
    assert groups == {"backbones": 3, "plain": 1, "mechanisms": len(MECHANISMS), "drawn": 8}
    usual = baselines(config.search_space)
    assert {one.name: one.architecture for one in found if one.group == "mechanisms"} == usual
    drawn = {placements_in_words(one.architecture) for one in found if one.group == "drawn"}
    assert len(drawn) == 8
    assert len({one.batch_size for one in found if one.group != "backbones"}) == 1  # comparable


def test_a_batch_is_what_half_the_matrix_rate_does_in_the_time() -> None:
    # 6 FLOP x 10 M MACs at 0.5 x 60 GFLOP/s are 500 images/s
    assert batch_within(10_000_000, 60e9, 0.1, most=128) == 32  # of 50
    assert batch_within(10_000_000, 60e9, 1.0, most=128) == 128  # of 500
    assert batch_within(10_000_000, 60e9, 0.001, most=128) == 2  # of a half


def test_the_first_round_only_warms_up(clock: list[float], config: StudyConfig) -> None:
    def slow_at_first(job: Job, number: int) -> Event:
        clock[0] += 1
        return ProbeDone(job.id, job.attempt, Probed(1.0 if number <= 28 else 200.0))

    executor = Scripted(slow_at_first)
    found = run(executor, config, seconds=28 * 3.5)  # a round has 28 networks of a second each
    assert len(executor.jobs) == 28 * 3
    assert len(found.plain.seconds) == 2
    assert found.plain.images_per_second == pytest.approx(200)
    assert found.matrix_rate == 10_000_000_000 + 3  # the most of one before and one each round


def test_one_round_is_measured_however_short_the_time(
    clock: list[float], config: StudyConfig
) -> None:
    def slow(job: Job, _number: int) -> Event:
        clock[0] += 10
        return ProbeDone(job.id, job.attempt, Probed(50.0))

    executor = Scripted(slow)
    found = run(executor, config)
    assert len(executor.jobs) == 28
    assert len(found.plain.seconds) == 1
    assert found.plain.images_per_second == pytest.approx(50)


@pytest.mark.parametrize(
    "event",
    [
        Failed(0, 1, "out of memory", out_of_memory=True),
        Lost(0, 1, "the worker died with exit code -9"),
    ],
)
def test_a_network_without_memory_is_left_out_and_named(
    event: Event, clock: list[float], config: StudyConfig
) -> None:
    lka = baselines(config.search_space)["lka"]

    def answer(job: Job, number: int) -> Event:
        clock[0] += 1
        is_lka = Architecture.from_json(job.architecture) == lka
        return event if is_lka else fixed_speed(job, number)

    executor = Scripted(answer)
    found = run(executor, config, seconds=28 * 2)
    assert found.out_of_memory == ("lka",)
    assert "lka" not in {one.name for one in found.mechanisms}
    assert sum(Architecture.from_json(job.architecture) == lka for job in executor.jobs) == 1


def test_no_memory_for_the_searched_backbone_is_refused(
    clock: list[float], config: StudyConfig
) -> None:
    def full(job: Job, _number: int) -> Event:
        clock[0] += 1
        return Failed(job.id, job.attempt, "out of memory", out_of_memory=True)

    with pytest.raises(Refusal, match="memory ran out training resnet8; name a smaller"):
        run(Scripted(full), config)


def test_another_failure_is_refused_with_its_reason(config: StudyConfig) -> None:
    def broken(job: Job, _number: int) -> Event:
        return Failed(job.id, job.attempt, "RuntimeError: no kernel")

    with pytest.raises(Refusal, match=r"could be timed: RuntimeError: no kernel"):
        run(Scripted(broken), config)


def test_jobs_have_the_studys_protocol_but_their_own_batch(
    clock: list[float], config: StudyConfig
) -> None:
    def answer(job: Job, number: int) -> Event:
        clock[0] += 1
        return fixed_speed(job, number)

    executor = Scripted(answer)
    run(executor, config)
    bare = [job for job in executor.jobs if job.architecture == plain("resnet18").to_json()]
    assert [job.protocol.batch_size for job in bare] == [
        batch_within(cost(plain("resnet18")).macs, 1e10, 1 / 40, most=128)
    ]
    own = {"batch_size": config.protocol.batch_size}
    assert {job.protocol.model_copy(update=own) for job in executor.jobs} == {config.protocol}
