"""A training that was ended and goes on is the undisturbed one, to the last bit."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from search.config import Protocol, StudyConfig
from search.executors import leaving
from search.executors.jobs import Checkpoint, Job, JobStoppedError
from search.training import checkpoints, worker
from search.training.data import load
from search.training.loop import Images, on_device, train
from search.training.state import TrainingState
from search.training.worker import seeded_model
from space import Architecture, SearchSpace, baselines
from studies import Epoch, Outcome

pytestmark = pytest.mark.usefixtures("one_thread")
USUAL = baselines(SearchSpace(backbone="resnet8"))
SE = USUAL["se"]
STEPS = 2  # of an epoch
QUICK_SPOILS, SPOILS = ("cut", "one bit"), ("empty", "noise", "head")


@pytest.fixture
def protocol(small_config: StudyConfig) -> Protocol:
    own = {"epochs": 4, "train_images": 20, "batch_size": 10}
    return small_config.protocol.model_copy(update=own)


@pytest.fixture
def images(protocol: Protocol, monkeypatch: pytest.MonkeyPatch) -> Images:
    """Return 20 training and 40 validation images, which workers take, too."""
    few = on_device(
        load("cifar10-sample", num_train=20), protocol.crop_padding, torch.device("cpu")
    ).first(40)
    monkeypatch.setattr(worker, "images_of", lambda *_, **__: few)
    return few


@pytest.fixture
def job(protocol: Protocol, tmp_path: Path) -> Job:
    path = tmp_path / "checkpoints" / "run1.safetensors"
    return Job(1, 1, SE.to_json(), 7, protocol, "cpu", checkpoint=Checkpoint(path, 0.0))


def new(architecture: Architecture, protocol: Protocol) -> TrainingState:
    return TrainingState(seeded_model(architecture, 3), protocol, 3)


def rest(state: TrainingState, images: Images) -> list[Epoch]:
    return [replace(epoch, seconds=0.0) for epoch, _ in train(state, images)]


def differing(first: dict[str, Tensor], second: dict[str, Tensor]) -> set[str]:
    assert first.keys() == second.keys()
    return {name for name, value in first.items() if not torch.equal(value, second[name])}


@pytest.mark.parametrize(
    ("kind", "recipe", "averaging"),
    [
        ("se", "study", 0.5),
        ("criss_cross", "tutorial", 0.0),
        pytest.param("se", "study", 0.0, marks=pytest.mark.slow),
        pytest.param("criss_cross", "study", 0.5, marks=pytest.mark.slow),
        pytest.param("se", "tutorial", 0.5, marks=pytest.mark.slow),
    ],
)
def test_a_state_that_is_taken_up_goes_on_as_if_nothing_had_happened(
    kind: str, recipe: str, averaging: float, images: Images, protocol: Protocol
) -> None:
    own = protocol.model_copy(update={"recipe": recipe, "averaging": averaging, "epochs": 3})
    calm = new(USUAL[kind], own)
    epochs = rest(calm, images)
    cut = new(USUAL[kind], own)
    next(train(cut, images))
    again = new(USUAL[kind], own)
    again.restore(cut.tensors(), 1, STEPS)
    assert rest(again, images) == epochs[1:]
    assert differing(calm.tensors(), again.tensors()) == set()


def test_what_is_taken_up_lies_in_memory_as_it_did(images: Images, protocol: Protocol) -> None:
    cut, again = new(SE, protocol), new(SE, protocol)
    next(train(cut, images))
    again.restore(cut.tensors(), 1, STEPS)
    for one, other in zip(
        cut.optimizer.state.values(), again.optimizer.state.values(), strict=True
    ):
        assert one["momentum_buffer"].stride() == other["momentum_buffer"].stride()


def results(job: Job, *, num_steps: int = 1_000) -> tuple[list[Epoch], Outcome | None, int]:
    """Return what a worker yields until it is ended before a step, and the steps it took."""
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) > num_steps

    epochs: list[Epoch] = []
    outcome = None
    try:
        for one in worker.train_job(job, should_stop):
            if isinstance(one, Epoch):
                epochs.append(replace(one, seconds=0.0))
            elif isinstance(one, Outcome):
                outcome = one
    except JobStoppedError:
        asked.pop()
    return epochs, outcome, len(asked)


def same(first: Outcome | None, second: Outcome | None) -> bool:
    assert first is not None
    assert second is not None
    return (first.accuracy, first.correct, first.gates) == (
        second.accuracy,
        second.correct,
        second.gates,
    )


@pytest.mark.usefixtures("images")
def test_a_second_attempt_takes_only_the_steps_that_are_missing(job: Job) -> None:
    epochs, outcome, num_steps = results(replace(job, checkpoint=None))
    assert num_steps == 4 * STEPS
    shown, _, _ = results(job, num_steps=2 * STEPS + 1)  # it ends within the third epoch
    assert shown == epochs[:2]
    again, ended, num_steps = results(replace(job, attempt=2))
    assert again == epochs  # told anew, for the curve of this attempt
    assert num_steps == 2 * STEPS
    assert same(outcome, ended)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        pytest.param({"architecture": USUAL["eca"].to_json()}, marks=pytest.mark.slow),
        pytest.param({"with_validation": True}, marks=pytest.mark.slow),
        pytest.param({"device": "cuda:7"}, marks=pytest.mark.slow),
    ],
)
def test_the_state_of_another_training_is_left_alone(change: dict[str, object], job: Job) -> None:
    results(job, num_steps=2 * STEPS)
    other = replace(job, **change)  # type: ignore[arg-type] # each value fits its field
    _, _, num_steps = results(other)
    assert num_steps == 4 * STEPS


@pytest.mark.usefixtures("images")
def test_half_the_batch_is_another_training(job: Job) -> None:
    results(job, num_steps=2 * STEPS)
    _, _, num_steps = results(replace(job, protocol=job.protocol.halved()))
    assert num_steps == 4 * 2 * STEPS


def spoiled(path: Path, how: str) -> None:
    content = path.read_bytes()
    damaged = {
        "empty": b"",
        "cut": content[: len(content) // 2],
        "noise": bytes(reversed(content)),
        "one bit": content[:-1000] + bytes([content[-1000] ^ 1]) + content[-999:],
        "head": content.replace(b"validation_seconds", b"validation_sekunden"),
    }
    path.write_bytes(damaged[how])


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    "how", [*QUICK_SPOILS, *(pytest.param(one, marks=pytest.mark.slow) for one in SPOILS)]
)
def test_a_damaged_file_costs_the_epochs_and_nothing_else(how: str, job: Job) -> None:
    epochs, outcome, _ = results(replace(job, checkpoint=None))
    results(job, num_steps=2 * STEPS)
    assert job.checkpoint is not None
    spoiled(job.checkpoint.path, how)
    again, ended, num_steps = results(job)
    assert again == epochs
    assert num_steps == 4 * STEPS
    assert same(outcome, ended)


@pytest.mark.usefixtures("images")
def test_a_disk_that_refuses_costs_the_checkpoint_and_not_the_training(
    job: Job, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    nowhere = Checkpoint(tmp_path / "file" / "checkpoints" / "run1.safetensors", 0.0)
    epochs, outcome, _ = results(replace(job, checkpoint=nowhere))
    assert len(epochs) == 4
    assert outcome is not None


@pytest.mark.usefixtures("images")
def test_states_are_written_no_more_often_than_asked_and_never_behind_the_last_epoch(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []

    def write(_path: Path, _tensors: object, head: dict[str, list[object]]) -> None:
        written.append(len(head["epochs"]))

    def clock() -> Iterator[float]:
        now = 0.0
        while True:
            yield now
            now += 0.00025  # between two looks; each state that is written looks once more

    ticks = clock()
    monkeypatch.setattr(checkpoints, "monotonic", lambda: next(ticks))
    monkeypatch.setattr(checkpoints, "_write", write)
    longer = job.protocol.model_copy(update={"epochs": 7})
    assert job.checkpoint is not None
    often = Checkpoint(job.checkpoint.path, 0.0006)
    results(replace(job, protocol=longer, checkpoint=often))
    assert written == [3, 6]


@pytest.mark.usefixtures("images")
def test_a_kill_in_the_middle_of_writing_leaves_the_state_before(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    results(job, num_steps=STEPS)
    assert job.checkpoint is not None
    before = job.checkpoint.path.read_bytes()

    def cut(_tensors: object, path: str, **_: object) -> None:
        Path(path).write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(checkpoints, "save_file", cut)
    results(job, num_steps=STEPS)
    assert job.checkpoint.path.read_bytes() == before
    assert [one.name for one in job.checkpoint.path.parent.iterdir()] == ["run1.safetensors"]


@pytest.mark.usefixtures("images")
def test_what_is_held_between_two_files_is_saved_when_the_worker_leaves(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "monotonic", lambda: 0.0)  # it is never time to write
    assert job.checkpoint is not None
    rare = replace(job, checkpoint=Checkpoint(job.checkpoint.path, 1e-9))
    epochs, _, _ = results(rare, num_steps=3 * STEPS + 1)
    assert not job.checkpoint.path.exists()
    (save,) = leaving._saves
    save()
    again, _, num_steps = results(rare)
    assert again[:3] == epochs
    assert num_steps == STEPS
    save()  # of a training that is over
    assert results(rare)[2] == STEPS


@pytest.mark.usefixtures("images")
def test_behind_the_last_epoch_the_one_before_is_held_until_the_outcome_is_told(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "monotonic", lambda: 0.0)  # it is never time to write
    assert job.checkpoint is not None
    rare = replace(job, checkpoint=Checkpoint(job.checkpoint.path, 1e-9))
    for one in worker.train_job(rare, lambda: False):
        if isinstance(one, Outcome):  # told, and perhaps lost with the driver
            (save,) = leaving._saves
            save()
    assert leaving._saves == []
    assert results(rare)[2] == STEPS  # the last epoch's


@pytest.mark.usefixtures("images")
def test_a_file_is_on_the_disk_before_it_replaces_the_one_before(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert job.checkpoint is not None
    path, there = job.checkpoint.path, []
    monkeypatch.setattr("os.fsync", lambda _number: there.append(path.exists()))
    results(job, num_steps=STEPS)
    assert there == [False]


@pytest.mark.usefixtures("images")
def test_a_training_shorter_than_the_time_between_two_files_holds_nothing(job: Job) -> None:
    assert job.checkpoint is not None
    results(replace(job, checkpoint=Checkpoint(job.checkpoint.path, 3600.0)))
    for save in leaving._saves:
        save()
    assert not job.checkpoint.path.exists()
