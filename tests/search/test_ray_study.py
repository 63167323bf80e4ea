"""A study on a Ray cluster of several nodes: whatever dies, all trials are told once."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from optuna.trial import TrialState
from sqlalchemy import text

from search.config import StudyConfig
from search.driver import Driver, Limits
from search.executors import Done, EpochDone, Event, Failed, Job
from search.executors.cluster import Cluster, Share
from search.executors.jobs import Keep
from search.listener import Listener
from space import Refusal, plain
from studies import Evaluation, OpenStudy, attempts, evaluations, open_existing
from tests.search.ray_nodes import actors, nodes

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster as Nodes

    from search.executors.ray import RayExecutor

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parent / "study_process.py"
TRAINER = "tests.search.fake_trainer:train"
TRIALS = 12
PATIENCE = 120.0  # seconds


@pytest.fixture(scope="module")
def cluster() -> Iterator["Nodes"]:
    with nodes(1, 1) as found:
        yield found


@pytest.fixture
def executor(cluster: "Nodes") -> Iterator["RayExecutor"]:
    from search.executors.ray import RayExecutor

    assert cluster.address
    made = RayExecutor(TRAINER, [{"FAKE_SECONDS": "0.3"}] * 2)
    made.gather(lambda: False)
    yield made
    made.close()


def until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def assert_whole(study: OpenStudy) -> None:
    trials = study.optuna.get_trials(deepcopy=False)
    assert [one.number for one in trials] == list(range(len(trials)))
    states = Counter(trial.state for trial in trials)
    assert states[TrialState.COMPLETE] == TRIALS
    assert states[TrialState.RUNNING] == states[TrialState.WAITING] == 0
    told = Counter(row.trial for row in evaluations(study) if row.trial is not None)
    assert set(told.values()) == {1}
    with study.engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


class Killer(Listener):
    """Does something bad as the trainings with these numbers end."""

    def __init__(self, deeds: dict[int, Callable[[], None]]) -> None:
        self.deeds = deeds
        self.num_finished = 0

    def finished(self, row: Evaluation) -> None:
        assert row.is_final
        self.num_finished += 1
        self.deeds.get(self.num_finished, lambda: None)()


def test_a_lost_worker_and_a_lost_node_lose_no_trial(
    cluster: "Nodes", executor: "RayExecutor", study: OpenStudy, config: StudyConfig
) -> None:
    *_, last = cluster.worker_nodes

    def lose_node() -> None:
        cluster.remove_node(last, allow_graceful=False)

    def add_node() -> None:
        cluster.add_node(num_cpus=1)

    killer = Killer({2: lambda: actors()[0].kill(), 5: lose_node, 9: add_node})
    ending = Driver(study, config, executor, listener=killer).run(Limits(TRIALS), lambda: False)
    assert ending == "total"
    assert_whole(study)
    assert {row.state for row in evaluations(study)} == {"complete"}
    lost = [one for one in attempts(study) if one.ending != "complete"]
    assert 1 <= len(lost) <= 3  # the killed worker's, and what the node had in flight


def test_a_killed_driver_takes_its_workers_with_it_and_the_same_command_goes_on(
    cluster: "Nodes", tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    command = [sys.executable, str(SCRIPT), url, str(TRIALS), "2", cluster.address]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: num_complete(tmp_path / "study.db") >= 3)
    workers = actors()
    assert len(workers) == 2
    first.send_signal(signal.SIGKILL)
    first.wait()
    _, alive = psutil.wait_procs(workers, timeout=PATIENCE)
    assert not alive
    again = subprocess.run(command, capture_output=True, timeout=2 * PATIENCE, check=False)
    assert again.returncode == 0, again.stderr.decode()
    assert b"total" in again.stdout
    study = open_existing(url, "fake")
    assert_whole(study)
    assert max(row.attempt for row in evaluations(study)) == 2


def num_complete(path: Path) -> int:
    """Return how many trainings are done, leaving nothing open beside the driver's database."""
    if not path.exists():
        return 0
    query = "select count(*) from attention_evaluations where state = 'complete'"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:  # it is being made
            return 0


def ended(executor: "RayExecutor", job: Job) -> Event:
    executor.submit(job)
    deadline = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < deadline
        for event in executor.events(0.2):
            if not isinstance(event, EpochDone):
                return event


def test_what_a_job_keeps_comes_to_the_drivers_disk(
    executor: "RayExecutor", config: StudyConfig, tmp_path: Path
) -> None:
    def keeping(path: Path, *, required: bool) -> Job:
        keep = Keep(path, tmp_path / "none.png", required=required)
        return Job(1, 1, plain("resnet20").to_json(), 5, config.protocol, "cpu", keep=keep)

    path = tmp_path / "1.safetensors"
    assert isinstance(ended(executor, keeping(path, required=True)), Done)
    assert path.read_text() == "weights of seed 5"
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == [path.name]
    nowhere = tmp_path / "missing" / "1.safetensors"
    assert isinstance(ended(executor, keeping(nowhere, required=False)), Done)
    failed = ended(executor, keeping(nowhere, required=True))
    assert isinstance(failed, Failed)
    assert failed.reason.startswith("No such file or directory: ")


def test_resources_that_the_cluster_cannot_give_are_refused_at_once(cluster: "Nodes") -> None:
    from search.executors.ray_cluster import room_for, share_of

    assert cluster.address
    assert share_of(Cluster("auto"), "auto") == share_of(Cluster("auto"), "cpu") == Share()
    assert sorted(room_for(Share(), None).values()) == [1, 1]  # the head has no room
    with pytest.raises(Refusal, match=r"^--workers must be at most 2 .*, got 3 on .* 2 CPUs"):
        room_for(Share(), 3)
    with pytest.raises(Refusal, match=r"^--gpus-per-trial 0\.5 needs a GPU, got a cluster with"):
        share_of(Cluster("auto", 0.5), "auto")
    with pytest.raises(Refusal, match=r"^--device cuda needs a GPU, got a cluster with none"):
        share_of(Cluster("auto"), "cuda")
    with pytest.raises(Refusal, match=r"^--gpus-per-trial must be left out with --device cpu"):
        share_of(Cluster("auto", 0.5), "cpu")


def test_every_node_is_asked_and_refused_by_its_address(
    cluster: "Nodes", monkeypatch: pytest.MonkeyPatch
) -> None:
    from search.executors import ray_probe
    from search.executors.ray_cluster import room_for

    assert cluster.address
    found = tuple(room_for(Share(), None))
    both = ray_probe.seen(found, "cpu", Share())
    assert [one.programs for one in both] == [ray_probe.programs()] * 2
    ray_probe.fetched(found, "cifar10-sample", None)
    with pytest.raises(Refusal, match=r"^node \d+\.\d+\.\d+\.\d+: .*--device cuda needs a GPU"):
        ray_probe.seen(found, "cuda", Share())
    with pytest.raises(Refusal, match=r"must answer within 0 s, got nothing; .*: wait, or"):
        ray_probe.on_each(found, lambda: time.sleep(5), Share(), 0)
    ours = {**ray_probe.programs(), "torch": "1.0"}
    monkeypatch.setattr(ray_probe, "programs", lambda: ours)
    with pytest.raises(Refusal, match=r"must have torch 1\.0 as the driver has, got 2\."):
        ray_probe.seen(found, "cpu", Share())


JOINING = """
import sys
from search.executors.ray_cluster import connect
connect("local")
import ray
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


def test_a_cluster_of_its_own_takes_in_nobody_without_its_token(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    alone = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    variables = {**alone, "HOME": str(tmp_path), "PYTHONPATH": str(SCRIPT.parents[2])}
    pipe = subprocess.PIPE
    head = subprocess.Popen(
        [sys.executable, "-c", JOINING], env=variables, stdin=pipe, stdout=pipe, text=True
    )
    assert head.stdin is not None
    assert head.stdout is not None
    with head, head.stdin:
        address = head.stdout.readline().strip()
        ask = [sys.executable, "-m", "search", "run", "--executor", "ray", "--address", address]
        stranger = subprocess.run(
            ask, env=variables, cwd=tmp_path, stderr=pipe, text=True, check=False
        )
    assert stranger.returncode == 2
    assert stranger.stderr.splitlines()[-1].startswith(f"search: --address {address} must lead")
    assert "wants a token" in stranger.stderr
    assert not (tmp_path / ".ray").exists()
