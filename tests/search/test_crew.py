"""Probes, and how many workers a device is given, on loads that the tests make up."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from search import crew
from search.config import StudyConfig
from search.crew import CONTEXT_BYTES, PROBE, Load, load_of, probed, worthwhile
from search.executors import Job, LocalExecutor, Probed
from space import plain

GIGABYTE = 2**30
ROOM = 10**15


TRAINER = "tests.search.fake_trainer:train"


@pytest.fixture
def probe(small_config: StudyConfig) -> Job:
    architecture = plain("resnet8").to_json()
    return Job(PROBE, 1, architecture, 0, small_config.protocol, "cpu", probe_seconds=0.1)


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    made = LocalExecutor(TRAINER, [{}, {}])
    yield made
    made.close()


@pytest.fixture
def uneven() -> Iterator[LocalExecutor]:
    """Two workers, of which the second runs out of memory and the first takes its time."""
    made = LocalExecutor(TRAINER, [{"FAKE_PROBE_SECONDS": "60"}, {"FAKE_FAIL": "all"}])
    yield made
    made.close()


def never() -> bool:
    return False


def test_several_probes_run_at_once_and_all_are_heard(executor: LocalExecutor, probe: Job) -> None:
    assert probed(executor, probe, 2, never) == (Probed(1000.0), Probed(1000.0))
    assert executor.capacity() == 2


def test_a_probe_that_fails_finds_nothing_and_leaves_no_worker_busy(
    uneven: LocalExecutor, probe: Job
) -> None:
    assert probed(uneven, probe, 2, never) == ()
    assert uneven.capacity() == uneven.size() == 2


def test_an_interrupted_probe_leaves_no_worker_busy_and_no_answer(
    executor: LocalExecutor, probe: Job
) -> None:
    assert probed(executor, probe, 2, lambda: True) == ()
    assert executor.capacity() == 2
    assert len(probed(executor, replace(probe, id=-7), 2, never)) == 2  # the next one's own


def test_a_probe_that_takes_too_long_finds_nothing(
    uneven: LocalExecutor, probe: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "PATIENCE", 0.0)
    assert probed(uneven, probe, 1, never) == ()
    assert uneven.capacity() == 2


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
    assert worthwhile(lambda count: Load(speeds[count], 1, ROOM), most) == expected


@pytest.mark.parametrize(("missing", "expected"), [(0, 4), (1, 2)])
def test_workers_are_doubled_while_their_memory_is_there(missing: int, expected: int) -> None:
    """Two hold 2 GB each; four may come to need 8 GB each, of which 4 GB are held already."""
    free = {1: 50 * GIGABYTE, 2: (4 * 8 - 4) * GIGABYTE - missing, 4: 0}
    found = worthwhile(lambda count: Load(100.0 * count, 2 * GIGABYTE, free[count]), 16)
    assert found == expected


def test_workers_that_fail_together_are_not_kept() -> None:
    found = worthwhile(lambda count: Load(100.0, 1, ROOM) if count == 1 else None, 16)
    assert found == 1
    assert worthwhile(lambda _: None, 16) == 1
