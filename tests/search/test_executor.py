"""The local executor with real worker processes and a trainer without torch."""

import os
import signal
import time
from collections.abc import Iterator
from multiprocessing import active_children

import pytest

from search.config import Protocol
from search.executors import Done, EpochDone, Event, Failed, Job, LocalExecutor, Lost, Stopped
from search.executors.environments import VISIBLE, num_cores, worker_environments
from space import plain
from space.baselines import baselines
from space.sampling import SearchSpace

TRAINER = "tests.search.fake_trainer:train"
PLAIN = plain("resnet20")
SE = baselines(SearchSpace(backbone="resnet20"))["se"]
PATIENCE = 30.0  # seconds until a missing event fails the test


def job(number: int, *, attempt: int = 1, attention: bool = False, epochs: int = 2) -> Job:
    protocol = Protocol(
        dataset="cifar10-sample", train_images=10, epochs=epochs, batch_size=2, learning_rate=0.1
    )
    architecture = SE if attention else PLAIN
    return Job(number, attempt, architecture.to_json(), 5, protocol, "cpu")


def until_final(executor: LocalExecutor, num_final: int) -> list[Event]:
    found: list[Event] = []
    deadline = time.monotonic() + PATIENCE
    while sum(not isinstance(one, EpochDone) for one in found) < num_final:
        assert time.monotonic() < deadline, found
        found += executor.events(0.2)
    return found


def make(num_workers: int, **variables: str) -> Iterator[LocalExecutor]:
    executor = LocalExecutor(TRAINER, [variables] * num_workers)
    yield executor
    executor.close()


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    yield from make(2)


@pytest.fixture
def slow_executor() -> Iterator[LocalExecutor]:
    yield from make(1, FAKE_SECONDS="0.2")


@pytest.fixture
def dying_executor() -> Iterator[LocalExecutor]:
    yield from make(1, FAKE_DIE="first")


@pytest.fixture
def failing_executor() -> Iterator[LocalExecutor]:
    yield from make(1, FAKE_FAIL="attention")


def test_each_job_sends_its_epochs_and_one_end(executor: LocalExecutor) -> None:
    executor.submit(job(1))
    executor.submit(job(2))
    assert executor.capacity() == 0
    found = until_final(executor, 2)
    for number in (1, 2):
        own = [one for one in found if one.job == number]
        assert [type(one) for one in own] == [EpochDone, EpochDone, Done]
    assert executor.capacity() == 2


def test_a_killed_worker_loses_its_job_and_another_takes_its_place(
    slow_executor: LocalExecutor,
) -> None:
    slow_executor.submit(job(1, epochs=100))
    while not slow_executor.events(0.2):
        pass
    (worker,) = active_children()
    worker.kill()
    (lost,) = (one for one in until_final(slow_executor, 1) if not isinstance(one, EpochDone))
    assert isinstance(lost, Lost)
    assert "exit code -9" in lost.reason
    slow_executor.submit(job(2, attempt=2))
    assert isinstance(until_final(slow_executor, 1)[-1], Done)


def test_a_worker_that_dies_at_its_first_attempt_serves_the_second(
    dying_executor: LocalExecutor,
) -> None:
    dying_executor.submit(job(1))
    assert until_final(dying_executor, 1) == [Lost(1, 1, "the worker died with exit code 7")]
    dying_executor.submit(job(1, attempt=2))
    assert isinstance(until_final(dying_executor, 1)[-1], Done)


def test_a_killed_worker_does_not_silence_the_other(executor: LocalExecutor) -> None:
    executor.submit(job(1))
    until_final(executor, 1)
    victim, _ = active_children()
    victim.kill()
    victim.join()
    executor.events(0.2)
    for number in (2, 3):
        executor.submit(job(number))
    ended = {one.job for one in until_final(executor, 2) if isinstance(one, Done)}
    assert ended == {2, 3}


def test_out_of_memory_fails_the_job_and_replaces_the_worker(
    failing_executor: LocalExecutor,
) -> None:
    (before,) = active_children()
    failing_executor.submit(job(1, attention=True))
    assert until_final(failing_executor, 1) == [
        Failed(1, 1, "out of memory", worker_is_spent=True, out_of_memory=True)
    ]
    assert before not in active_children()
    failing_executor.submit(job(2))
    assert isinstance(until_final(failing_executor, 1)[-1], Done)


def test_a_stop_ends_a_job_at_its_next_step_and_no_later_one(
    slow_executor: LocalExecutor,
) -> None:
    slow_executor.submit(job(1, epochs=100))
    while not slow_executor.events(0.2):
        pass
    slow_executor.stop(1)
    assert until_final(slow_executor, 1)[-1] == Stopped(1, 1)
    slow_executor.submit(job(2))
    assert isinstance(until_final(slow_executor, 1)[-1], Done)


def test_a_stop_of_a_worker_that_just_died_leaves_its_job_lost(
    slow_executor: LocalExecutor,
) -> None:
    slow_executor.submit(job(1, epochs=100))
    while not slow_executor.events(0.2):
        pass
    (worker,) = active_children()
    worker.kill()
    worker.join()
    slow_executor.stop(1)
    assert isinstance(until_final(slow_executor, 1)[-1], Lost)


def test_workers_ignore_ctrl_c(executor: LocalExecutor) -> None:
    executor.submit(job(1))
    until_final(executor, 1)  # the worker that answered has its handlers set
    for worker in active_children():
        os.kill(worker.pid or 0, signal.SIGINT)
    executor.submit(job(2))
    executor.submit(job(3))
    assert sum(isinstance(one, Done) for one in until_final(executor, 2)) >= 1


def test_workers_can_be_added_and_dropped(executor: LocalExecutor) -> None:
    executor.add([{}])
    assert executor.size() == executor.capacity() == 3
    for number in (1, 2, 3):
        executor.submit(job(number))
    until_final(executor, 3)
    executor.drop(2)
    assert executor.size() == len(active_children()) == 1
    executor.drop(0)
    executor.submit(job(4))
    assert isinstance(until_final(executor, 1)[-1], Done)


def test_a_worker_says_how_long_it_waited(executor: LocalExecutor) -> None:
    executor.submit(job(1))
    until_final(executor, 1)
    time.sleep(0.2)
    executor.submit(job(2))  # the first idle worker is the one that did the first job
    done = until_final(executor, 1)[-1]
    assert isinstance(done, Done)
    assert 0.2 <= done.before.waiting < PATIENCE
    assert done.before.preparing == 0  # its imports came before its first job


def test_closing_leaves_no_process(executor: LocalExecutor) -> None:
    assert len(active_children()) == 2
    executor.close()
    assert active_children() == []


def test_workers_get_one_thread_and_one_device_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    assert len(worker_environments("cpu", 1, None)) == num_cores()
    assert [one[VISIBLE] for one in worker_environments("cuda", 2, None)] == ["0", "1"]
    assert [one[VISIBLE] for one in worker_environments("cuda", 2, 3)] == ["0", "1", "0"]
    assert {one["OMP_NUM_THREADS"] for one in worker_environments("cpu", 1, 4)} == {"1"}
    assert worker_environments("cpu", 1, 1)[0]["MALLOC_MMAP_MAX_"] == "0"
    monkeypatch.setenv(VISIBLE, "3,5")
    assert [one[VISIBLE] for one in worker_environments("cuda", 2, None)] == ["3", "5"]
