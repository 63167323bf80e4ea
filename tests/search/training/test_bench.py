from itertools import count

import pytest
import torch

from search.config import StudyConfig
from search.executors.jobs import Job, JobFailedError, Probed
from search.training import bench
from search.training.bench import machine_of, matrix_rate, noise, step_job, step_seconds
from search.training.device import Device
from search.training.worker import seeded_model
from space import SearchSpace, baselines, plain

pytestmark = pytest.mark.usefixtures("one_thread")
USUAL = baselines(SearchSpace(backbone="resnet8"))


@pytest.fixture
def job(small_config: StudyConfig) -> Job:
    protocol = small_config.protocol.model_copy(update={"batch_size": 4})
    return Job(0, 1, USUAL["se"].to_json(), 0, protocol, "cpu")


def never() -> bool:
    return False


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a clock of the stopwatch gain a second whenever it is read."""
    seconds = count()
    monkeypatch.setattr(bench, "perf_counter", lambda: float(next(seconds)))


@pytest.mark.usefixtures("ticking")
def test_the_speed_is_the_batch_over_the_time_of_a_step(job: Job) -> None:
    assert list(step_job(job, never)) == [Probed(4 / 1.0)]  # one tick before, one behind the step


@pytest.mark.usefixtures("ticking")
@pytest.mark.parametrize("num_steps", [1, 3])
def test_just_the_timed_steps_are_taken_and_the_weights_move(
    num_steps: int, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bench.NUM_STEPS, "cpu", num_steps)
    noise.cache_clear()
    model = seeded_model(plain("resnet8"), 0)
    before = model.get_parameter("stem.conv.weight").detach().clone()
    assert step_seconds(model, noise(job.protocol, "cpu"), job.protocol) == pytest.approx(1.0)
    noise.cache_clear()
    seen = [int(n) for name, n in model.named_buffers() if name.endswith("num_batches_tracked")]
    assert set(seen) == {num_steps}  # every norm counts the batches it has been trained on
    after = model.get_parameter("stem.conv.weight").detach()
    assert not torch.equal(before, after)
    assert torch.isfinite(after).all()


def test_a_worker_keeps_its_network_for_the_next_round(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(step_job(job, never))

    def rebuilt(*_: object) -> None:
        raise AssertionError("the network was built again")

    monkeypatch.setattr(bench, "seeded_model", rebuilt)
    (found,) = step_job(job, never)
    assert found.images_per_second > 0


def test_no_memory_is_the_jobs_failure(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> float:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(bench, "step_seconds", full)
    with pytest.raises(JobFailedError) as caught:
        list(step_job(job, never))
    assert caught.value.out_of_memory


def test_another_error_is_not_hidden(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> float:
        raise RuntimeError("no kernel")

    monkeypatch.setattr(bench, "step_seconds", broken)
    with pytest.raises(RuntimeError, match="no kernel"):
        list(step_job(job, never))


@pytest.mark.usefixtures("ticking")
def test_the_matrix_rate_is_two_flop_for_each_product_of_the_largest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(bench.SIDES, "cpu", (8, 16))
    assert matrix_rate("cpu", "float32") == 2 * 16**3  # in one second of the ticking clock


def test_matrices_are_multiplied_on_one_thread_and_the_number_is_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    monkeypatch.setitem(bench.SIDES, "cpu", (8,))
    monkeypatch.setattr(bench, "_settle", lambda _: seen.append(torch.get_num_threads()))
    torch.set_num_threads(2)
    matrix_rate("cpu", "float32")
    assert set(seen) == {1}
    assert torch.get_num_threads() == 2


def test_the_machine_has_a_name_and_a_core() -> None:
    machine = machine_of(Device("cpu", 1, "float32"))
    assert machine.name
    assert machine.num_units >= 1
    assert machine.torch == torch.__version__
