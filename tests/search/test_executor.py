"""Both executors with real workers and a trainer without torch: they do the same."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import active_children
from typing import TYPE_CHECKING

import psutil
import pytest

from search.config import Protocol
from search.crew import Crew
from search.executors import Done, EpochDone, Event, Failed, Job, LocalExecutor, Lost, Stopped
from search.executors.environments import VISIBLE, num_cores, worker_environments
from space import plain
from space.baselines import baselines
from space.sampling import SearchSpace
from tests.search.ray_nodes import actors, nodes

if TYPE_CHECKING:
    from search.executors.ray import RayExecutor

TRAINER = "tests.search.fake_trainer:train"
PLAIN = plain("resnet20")
SE = baselines(SearchSpace(backbone="resnet20"))["se"]
PATIENCE = 90.0  # seconds until a missing event fails the test: Ray starts a worker in 3 to 20


def job(number: int, *, attempt: int = 1, attention: bool = False, epochs: int = 2) -> Job:
    protocol = Protocol(
        dataset="cifar10-sample", train_images=10, epochs=epochs, batch_size=2, learning_rate=0.1
    )
    architecture = SE if attention else PLAIN
    return Job(number, attempt, architecture.to_json(), 5, protocol, "cpu")


def until_final(executor: Crew, num_final: int) -> list[Event]:
    found: list[Event] = []
    deadline = time.monotonic() + PATIENCE
    while sum(not isinstance(one, EpochDone) for one in found) < num_final:
        assert time.monotonic() < deadline, found
        found += executor.events(0.2)
    return found


def local_crew(num_workers: int, **variables: str) -> LocalExecutor:
    return LocalExecutor(TRAINER, [variables] * num_workers)


def ray_crew(num_workers: int, **variables: str) -> "RayExecutor":
    from search.executors.ray import RayExecutor

    executor = RayExecutor(TRAINER, [variables] * num_workers)
    executor.gather(lambda: False)
    return executor


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[None]:
    with nodes(2):
        yield


@pytest.fixture(params=["local", pytest.param("ray", marks=pytest.mark.slow)])
def kind(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if name == "ray":
        request.getfixturevalue("ray_cluster")
    return name


@contextmanager
def made(kind: str, num_workers: int, **variables: str) -> Iterator[Crew]:
    crew = local_crew if kind == "local" else ray_crew
    executor = crew(num_workers, **variables)
    yield executor
    executor.close()
    until_number_of(kind, 0)


@pytest.fixture
def executor(kind: str) -> Iterator[Crew]:
    with made(kind, 2) as executor:
        yield executor


@pytest.fixture
def slow_executor(kind: str) -> Iterator[Crew]:
    with made(kind, 1, FAKE_SECONDS="0.2") as executor:
        yield executor


@pytest.fixture
def dying_executor(kind: str) -> Iterator[Crew]:
    with made(kind, 1, FAKE_DIE="first") as executor:
        yield executor


@pytest.fixture
def failing_executor(kind: str) -> Iterator[Crew]:
    with made(kind, 1, FAKE_FAIL="attention") as executor:
        yield executor


@pytest.fixture
def two_workers() -> Iterator[LocalExecutor]:
    executor = local_crew(2)
    yield executor
    executor.close()


def processes(kind: str) -> list[psutil.Process]:
    if kind == "ray":
        return actors()
    return [psutil.Process(one.pid) for one in active_children()]


def until_number_of(kind: str, number: int) -> None:
    """Wait until there are so many workers: a cluster ends its own in its time."""
    deadline = time.monotonic() + PATIENCE
    while len(found := processes(kind)) != number:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def kill(victim: psutil.Process) -> None:
    """Kill a worker and wait for its end; its parent alone may read its exit code."""
    victim.kill()
    deadline = time.monotonic() + PATIENCE
    with suppress(psutil.NoSuchProcess):
        while victim.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def until_idle(executor: Crew, number: int) -> None:
    """Hear events until so many workers are there and idle."""
    deadline = time.monotonic() + PATIENCE
    while executor.capacity() < number:
        assert time.monotonic() < deadline
        executor.events(0.2)


def until_replaced(kind: str, executor: Crew, before: list[psutil.Process]) -> None:
    """Hear events until another worker is there and idle in place of one of these."""
    deadline = time.monotonic() + PATIENCE
    # A process is a zombie before its last thread has ended, and a child until then.
    while (found := set(processes(kind))) == set(before) or len(found) != len(before):
        assert time.monotonic() < deadline
        executor.events(0.2)
    until_idle(executor, len(before))


def test_each_job_sends_its_epochs_and_one_end(executor: Crew) -> None:
    executor.submit(job(1))
    executor.submit(job(2))
    assert executor.capacity() == 0
    found = until_final(executor, 2)
    for number in (1, 2):
        own = [one for one in found if one.job == number]
        assert [type(one) for one in own] == [EpochDone, EpochDone, Done]
    assert executor.capacity() == 2


def test_a_killed_worker_loses_its_job_and_another_takes_its_place(
    kind: str, slow_executor: Crew
) -> None:
    slow_executor.submit(job(1, epochs=100))
    while not slow_executor.events(0.2):
        pass
    (worker,) = processes(kind)
    worker.kill()
    (lost,) = (one for one in until_final(slow_executor, 1) if not isinstance(one, EpochDone))
    assert isinstance(lost, Lost)
    assert ("exit code -9" if kind == "local" else "process has died") in lost.reason
    until_idle(slow_executor, 1)
    slow_executor.submit(job(2, attempt=2))
    assert isinstance(until_final(slow_executor, 1)[-1], Done)


def test_a_worker_that_dies_at_its_first_attempt_serves_the_second(
    kind: str, dying_executor: Crew
) -> None:
    dying_executor.submit(job(1))
    (lost,) = until_final(dying_executor, 1)
    assert isinstance(lost, Lost)
    assert ("exit code 7" if kind == "local" else "process has died") in lost.reason
    until_idle(dying_executor, 1)
    dying_executor.submit(job(1, attempt=2))
    assert isinstance(until_final(dying_executor, 1)[-1], Done)


def test_a_killed_worker_does_not_silence_the_other(kind: str, executor: Crew) -> None:
    executor.submit(job(1))
    until_final(executor, 1)
    before = processes(kind)
    kill(before[0])
    until_replaced(kind, executor, before)
    for number in (2, 3):
        executor.submit(job(number))
    ended = {one.job for one in until_final(executor, 2) if isinstance(one, Done)}
    assert ended == {2, 3}


def test_out_of_memory_fails_the_job_and_replaces_the_worker(
    kind: str, failing_executor: Crew
) -> None:
    before = processes(kind)
    failing_executor.submit(job(1, attention=True))
    assert until_final(failing_executor, 1) == [
        Failed(1, 1, "out of memory", worker_is_spent=True, out_of_memory=True)
    ]
    until_replaced(kind, failing_executor, before)
    failing_executor.submit(job(2))
    assert isinstance(until_final(failing_executor, 1)[-1], Done)


def test_a_stop_ends_a_job_at_its_next_step_and_no_later_one(
    slow_executor: Crew,
) -> None:
    slow_executor.submit(job(1, epochs=100))
    while not slow_executor.events(0.2):
        pass
    slow_executor.stop(1)
    assert until_final(slow_executor, 1)[-1] == Stopped(1, 1)
    slow_executor.submit(job(2))
    assert isinstance(until_final(slow_executor, 1)[-1], Done)


def test_a_stop_of_a_worker_that_just_died_leaves_its_job_lost(
    kind: str, slow_executor: Crew
) -> None:
    slow_executor.submit(job(1, epochs=100))
    while not slow_executor.events(0.2):
        pass
    (worker,) = processes(kind)
    kill(worker)
    slow_executor.stop(1)
    assert isinstance(until_final(slow_executor, 1)[-1], Lost)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_workers_ignore_ctrl_c_and_a_closed_terminal(
    number: signal.Signals, two_workers: LocalExecutor
) -> None:
    two_workers.submit(job(1))
    until_final(two_workers, 1)  # the worker that answered has its handlers set
    for worker in active_children():
        os.kill(worker.pid or 0, number)
    two_workers.submit(job(2))
    two_workers.submit(job(3))
    assert sum(isinstance(one, Done) for one in until_final(two_workers, 2)) == 2


@pytest.mark.slow
def test_workers_can_be_added_and_dropped(two_workers: LocalExecutor) -> None:
    two_workers.add([{}])
    assert two_workers.size() == two_workers.capacity() == 3
    for number in (1, 2, 3):
        two_workers.submit(job(number))
    until_final(two_workers, 3)
    two_workers.drop(2)
    assert two_workers.size() == len(active_children()) == 1
    two_workers.drop(0)
    two_workers.submit(job(4))
    assert isinstance(until_final(two_workers, 1)[-1], Done)


def test_a_worker_says_how_long_it_waited(executor: Crew) -> None:
    executor.submit(job(1))
    until_final(executor, 1)
    time.sleep(0.2)
    executor.submit(job(2))  # the first idle worker is the one that did the first job
    done = until_final(executor, 1)[-1]
    assert isinstance(done, Done)
    assert 0.2 <= done.before.waiting < PATIENCE
    assert done.before.preparing < 0.01  # its imports came before its first job's end


def test_closing_leaves_no_process(kind: str, executor: Crew) -> None:
    assert len(processes(kind)) == 2
    executor.close()
    until_number_of(kind, 0)


def test_workers_get_one_thread_and_one_device_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    assert len(worker_environments("cpu", 1, None)) == num_cores()
    assert [one[VISIBLE] for one in worker_environments("cuda", 2, None)] == ["0", "1"]
    assert [one[VISIBLE] for one in worker_environments("cuda", 2, 3)] == ["0", "1", "0"]
    assert {one["OMP_NUM_THREADS"] for one in worker_environments("cpu", 1, 4)} == {"1"}
    assert worker_environments("cpu", 1, 1)[0]["MALLOC_MMAP_MAX_"] == "0"
    monkeypatch.setenv(VISIBLE, "3,5")
    assert [one[VISIBLE] for one in worker_environments("cuda", 2, None)] == ["3", "5"]
