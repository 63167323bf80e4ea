"""What the driver makes of a worker on a cluster that goes while it is heard; Ray is played."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from search.config import config_of
from search.executors import Done, Event, Failed, Job, Lost
from search.executors.jobs import Keep
from space import plain
from studies import Outcome
from tests.search.scripted import SETTINGS

if TYPE_CHECKING:
    from search.executors.ray import RayExecutor

pytestmark = pytest.mark.slow  # Ray is an extra, which the slow tests have

JOB = Job(1, 1, plain("resnet8").to_json(), 0, config_of(SETTINGS).protocol, "cpu", None)
OUTCOME = Outcome(0.5, b"", 1, 1, 1.0, 1.0)


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> "RayExecutor":
    """Return an executor of one worker, whose process is dead and whose messages are all there."""
    module = pytest.importorskip("search.executors.ray")
    from ray.exceptions import RayActorError

    def get(reference: object) -> object:
        if reference == "life":
            raise RayActorError
        return reference

    def wait(references: Sequence[object], **_: object) -> tuple[list[object], list[object]]:
        return [one for one in references if one != "life of the next"], []

    def start(_: object, environment: Mapping[str, str]) -> object:
        return module._Place("next", environment, "life of the next", "ready")

    played = SimpleNamespace(get=get, wait=wait, kill=lambda _: None)
    monkeypatch.setattr(module, "ray", played)
    monkeypatch.setattr(module.RayExecutor, "_start", start)
    made: RayExecutor = module.RayExecutor("trainer", [{}])
    return made


def heard(executor: "RayExecutor", job: Job, *messages: object) -> list[Event]:
    """Return what the executor makes of these messages, the worker's death behind them."""
    stream: Iterator[object] = iter(messages)
    (place,) = executor._places
    place.life, place.ready, place.job, place.stream = "life", None, job, stream
    return executor.events(0)


def test_a_spent_worker_that_dies_at_once_is_replaced_once(executor: "RayExecutor") -> None:
    from search.executors.ray_actor import Message

    failed = Failed(1, 1, "out of memory", worker_is_spent=True)
    assert heard(executor, JOB, Message(failed)) == [failed]
    assert [place.actor for place in executor._places] == ["next"]


def test_messages_that_end_without_a_result_are_a_lost_worker(executor: "RayExecutor") -> None:
    (event,) = heard(executor, JOB)
    assert event == Lost(1, 1, "the worker died: its messages ended without a result")
    assert [place.actor for place in executor._places] == ["next"]


def test_a_worker_writes_nothing_that_its_job_did_not_ask_for(
    executor: "RayExecutor", tmp_path: Path
) -> None:
    from search.executors.ray_actor import Message

    keep = Keep(tmp_path / "best.safetensors")
    files = ((keep.weights, b"weights"), (tmp_path / "other", b"mine"))
    done = Done(1, 1, OUTCOME)
    assert done in heard(executor, replace(JOB, keep=keep), Message(done, files))
    assert [one.name for one in tmp_path.iterdir()] == ["best.safetensors"]
