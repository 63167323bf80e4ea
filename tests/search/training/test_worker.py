from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from search.config import Protocol, StudyConfig
from search.executors.jobs import Job, JobFailedError, JobStoppedError, Keep, Probed
from search.training import keeping, worker
from search.training.loop import Images, TrainingDivergedError
from search.training.weights import load_weights
from space import Cost, SearchSpace, baselines, cost, plain
from studies import Epoch, Outcome

pytestmark = pytest.mark.usefixtures("one_thread")
USUAL = baselines(SearchSpace(backbone="resnet8"))


@pytest.fixture
def job(small_config: StudyConfig) -> Job:
    return Job(1, 1, USUAL["se"].to_json(), 7, small_config.protocol, "cpu")


@pytest.fixture
def few_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the worker validate on 40 images."""
    original = worker.images_of

    def images_of(
        protocol: Protocol, data_dir: Path | None, device: str, *, with_validation: bool
    ) -> Images:
        whole = original(protocol, data_dir, device, with_validation=with_validation)
        return replace(
            whole,
            validation_NHWC=whole.validation_NHWC[:40],
            validation_labels_N=whole.validation_labels_N[:40],
        )

    monkeypatch.setattr(worker, "images_of", images_of)


def never() -> bool:
    return False


def test_a_job_yields_its_epochs_and_then_an_outcome(job: Job) -> None:
    *epochs, outcome = worker.train_job(job, never)
    assert [type(one) for one in epochs] == [Epoch, Epoch]
    assert isinstance(outcome, Outcome)
    last = epochs[-1]
    assert isinstance(last, Epoch)
    bits = np.unpackbits(np.frombuffer(outcome.correct, dtype=np.uint8))
    assert len(bits) == 1_000  # the sample's validation images
    assert outcome.accuracy == last.accuracy == pytest.approx(bits.mean())
    assert Cost(outcome.macs, outcome.params) == cost(USUAL["se"])
    assert outcome.seconds == pytest.approx(sum(e.seconds for e in epochs if isinstance(e, Epoch)))
    assert outcome.images_per_second == pytest.approx(2 * 200 / outcome.seconds)
    times = outcome.times
    assert times is not None
    assert times.training + times.validation == pytest.approx(outcome.seconds)
    assert min(times.training, times.validation, times.start_up, times.closing) > 0


@pytest.mark.usefixtures("few_validated")
def test_the_jobs_seed_decides_the_outcome(job: Job) -> None:
    def outcome(seed: int) -> tuple[float, ...]:
        epochs = worker.train_job(replace(job, seed=seed), never)
        return tuple(one.train_loss for one in epochs if isinstance(one, Epoch))

    assert outcome(7) == outcome(7) != outcome(8)


@pytest.mark.parametrize(("macs", "params"), [(1, 0), (0, 1)])
def test_a_network_that_costs_something_else_fails_before_training(
    macs: int, params: int, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = cost(USUAL["se"])
    monkeypatch.setattr(worker, "cost", lambda _: Cost(true.macs + macs, true.params + params))
    rule = (
        f"the network has {true.macs} MACs and {true.params} params, "
        f"the formula {true.macs + macs} and {true.params + params}"
    )
    with pytest.raises(JobFailedError) as caught:
        next(worker.train_job(job, never))
    assert caught.value.reason == rule
    assert not caught.value.out_of_memory


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_a_worker_without_memory_is_spent(
    error: Exception, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> Iterator[object]:
        raise error

    monkeypatch.setattr(worker, "train", exhausted)
    with pytest.raises(JobFailedError) as caught:
        list(worker.train_job(job, never))
    assert caught.value.reason == "out of memory; a smaller --batch-size may fit"
    assert caught.value.out_of_memory


def test_a_diverged_training_fails_with_its_reason(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverged(*_: object, **__: object) -> Iterator[object]:
        raise TrainingDivergedError("the loss became nan in epoch 1")

    monkeypatch.setattr(worker, "train", diverged)
    with pytest.raises(JobFailedError) as caught:
        list(worker.train_job(job, never))
    assert caught.value.reason == "the loss became nan in epoch 1"
    assert not caught.value.out_of_memory


def test_a_job_that_is_told_to_stops(job: Job) -> None:
    with pytest.raises(JobStoppedError):
        list(worker.train_job(job, lambda: True))


def test_a_probe_yields_a_speed_and_no_memory_on_a_cpu(
    job: Job, small_config: StudyConfig
) -> None:
    protocol = small_config.protocol.model_copy(update={"batch_size": 512, "train_images": 10})
    (found,) = worker.train_job(replace(job, probe_seconds=0.01, protocol=protocol), never)
    assert isinstance(found, Probed)
    assert 0 < found.images_per_second < 1e6
    assert (found.own_bytes, found.free_bytes) == (None, None)


def test_a_probe_that_is_told_to_stops(job: Job) -> None:
    with pytest.raises(JobStoppedError):
        list(worker.train_job(replace(job, probe_seconds=60.0), lambda: True))


def test_first_weights_are_the_seeds_whatever_was_drawn_before() -> None:
    torch.manual_seed(1)
    first = worker.seeded_model(plain("resnet8"), 5)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    second = worker.seeded_model(plain("resnet8"), 5)
    assert torch.equal(torch.get_rng_state(), state)  # and the generator goes on as it would have
    other = worker.seeded_model(plain("resnet8"), 6)
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, second.state_dict()[name])
    name = "stem.conv.weight"
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


def test_images_are_kept_between_jobs_of_one_protocol(small_config: StudyConfig) -> None:
    protocol = small_config.protocol
    first = worker.images_of(protocol, None, "cpu")
    assert worker.images_of(protocol.model_copy(), None, "cpu") is first
    assert worker.images_of(protocol.halved(), None, "cpu") is first
    longer = protocol.model_copy(update={"train_images": 210})
    assert len(worker.images_of(longer, None, "cpu").train_labels_N) == 210


def test_a_job_may_train_on_the_validation_images_too_and_keep_its_weights(
    job: Job, tmp_path: Path
) -> None:
    path = tmp_path / "w.safetensors"
    once = job.protocol.model_copy(update={"epochs": 1})
    wanted = replace(job, with_validation=True, keep=Keep(path), protocol=once)
    *_, outcome = worker.train_job(wanted, never)
    assert isinstance(outcome, Outcome)
    assert outcome.images_per_second == pytest.approx(1_200 / outcome.seconds)
    load_weights(USUAL["se"], path)


def test_a_picture_that_cannot_be_drawn_costs_no_training(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overview_picture(_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(keeping, "overview_picture", overview_picture)
    once = job.protocol.model_copy(update={"epochs": 1, "train_images": 64})
    kept = Keep(tmp_path / "w.safetensors", gates=tmp_path / "gates.png")
    *_, outcome = worker.train_job(replace(job, keep=kept, protocol=once), never)
    assert isinstance(outcome, Outcome)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["w.safetensors"]
