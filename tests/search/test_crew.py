"""Probes, and how many workers a device is given, on loads that the tests make up."""

import pytest

from search import crew
from search.config import StudyConfig
from search.crew import CONTEXT_BYTES, MEMORY_FACTOR, PROBE, Load, load_of, num_workers, probed
from search.executors import Event, Failed, Job, Lost, Probed, ProbeDone
from space import plain

GIGABYTE = 2**30
ROOM = 10**15


class Scripted:
    """An executor that hears what the test says."""

    def __init__(self, *batches: list[Event]) -> None:
        self.batches = [*batches]
        self.submitted: list[int] = []
        self.stopped: list[int] = []

    def capacity(self) -> int:
        return 1

    def submit(self, job: Job) -> None:
        self.submitted.append(job.id)

    def events(self, timeout: float) -> list[Event]:
        assert timeout > 0
        return self.batches.pop(0) if self.batches else []

    def stop(self, job: int) -> None:
        self.stopped.append(job)

    def close(self) -> None:
        raise AssertionError("the executor is the caller's")


@pytest.fixture
def probe(small_config: StudyConfig) -> Job:
    architecture = plain("resnet8").to_json()
    return Job(PROBE, 1, architecture, 0, small_config.protocol, "cpu", probe_seconds=1.0)


def never() -> bool:
    return False


def answer(number: int, speed: float) -> ProbeDone:
    return ProbeDone(number, 1, Probed(speed))


def test_several_probes_run_at_once_and_all_are_heard(probe: Job) -> None:
    stale = answer(5, 9.0)
    executor = Scripted([], [stale, answer(PROBE - 1, 200.0)], [answer(PROBE, 100.0)])
    found = probed(executor, probe, 2, never)
    assert executor.submitted == [PROBE, PROBE - 1]
    assert sorted(one.images_per_second for one in found) == [100.0, 200.0]
    assert executor.stopped == []


@pytest.mark.parametrize("event", [Failed(PROBE, 1, "out of memory"), Lost(PROBE, 1, "died")])
def test_a_probe_that_fails_finds_nothing(event: Event, probe: Job) -> None:
    assert probed(Scripted([event], [answer(PROBE, 1.0)]), probe, 1, never) == ()


def test_a_probe_that_never_answers_is_stopped(
    probe: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "PATIENCE", 0.0)
    executor = Scripted([answer(PROBE, 1.0)])
    assert probed(executor, probe, 2, never) == ()
    assert executor.stopped == [PROBE, PROBE - 1]


def test_a_load_adds_speeds_and_takes_the_greatest_need() -> None:
    found = (Probed(100.0, 3 * GIGABYTE, 90 * GIGABYTE), Probed(80.0, GIGABYTE, 80 * GIGABYTE))
    assert load_of(found) == Load(180.0, 3 * GIGABYTE + CONTEXT_BYTES, 80 * GIGABYTE)


@pytest.mark.parametrize("found", [(), (Probed(100.0),)])
def test_without_a_probe_or_without_a_gpu_there_is_no_load(found: tuple[Probed, ...]) -> None:
    assert load_of(found) is None


@pytest.mark.parametrize(
    ("speeds", "most", "expected"),
    [
        ({1: 100, 2: 105}, 16, 1),  # a GPU that one worker fills
        ({1: 100, 2: 190, 4: 340, 8: 350}, 16, 4),
        ({1: 100, 2: 200, 4: 400, 8: 800}, 8, 8),
        ({1: 100, 2: 200}, 3, 2),  # doubled only: three are not tried
        ({1: 100}, 1, 1),
    ],
)
def test_workers_are_doubled_while_that_pays(
    speeds: dict[int, float], most: int, expected: int
) -> None:
    assert num_workers(lambda count: Load(speeds[count], 1, ROOM), most) == expected


def test_workers_are_doubled_while_their_memory_is_there() -> None:
    """Two workers of 2 GB leave 15 GB: two more need up to four times 2 GB each."""
    needs = 2 * MEMORY_FACTOR * 2 * GIGABYTE
    free = {1: 50 * GIGABYTE, 2: needs - 1}
    found = num_workers(lambda count: Load(100.0 * count, 2 * GIGABYTE, free[count]), 16)
    assert found == 2


def test_workers_that_fail_together_are_not_kept() -> None:
    found = num_workers(lambda count: Load(100.0, 1, ROOM) if count == 1 else None, 16)
    assert found == 1
    assert num_workers(lambda _: None, 16) == 1
