import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from search.training import data, sample
from search.training.arrays import ByteArray
from search.training.split import split_indices
from space import Refusal
from studies.confirmation.ledger import LedgerEntry

ROOT = Path(data.__file__).parents[2]
LABELS = np.random.default_rng(1).permutation(np.arange(50_000) % 10).astype(np.uint8)
ENTRY = LedgerEntry(
    storage_url="sqlite://", study_uid="u1", number=3, dataset="cifar10-sample", digest="d"
)


def counts(labels: ByteArray) -> list[int]:
    return [int((labels == label).sum()) for label in range(10)]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The ledger's stand-in: it holds the entries of this list."""
    entries: list[object] = []
    monkeypatch.setattr("studies.confirmation.ledger.is_recorded", lambda entry: entry in entries)
    return entries


def test_the_sample_is_3000_and_1000_balanced_images() -> None:
    split = data.load("cifar10-sample")
    assert split.train_images.shape == (3_000, 32, 32, 3)
    assert split.validation_images.shape == (1_000, 32, 32, 3)
    assert counts(split.train_labels) == [300] * 10
    assert counts(split.validation_labels) == [100] * 10


def test_the_sample_is_real_images() -> None:
    images = data.load("cifar10-sample").train_images.astype(np.float64) / 255
    assert images.mean(axis=(0, 1, 2)) == pytest.approx([0.491, 0.482, 0.447], abs=0.01)
    assert images.std(axis=(0, 1, 2)) == pytest.approx([0.247, 0.243, 0.262], abs=0.01)
    horizontal = np.abs(np.diff(images, axis=2)).mean()  # neighbouring pixels resemble each other
    assert 0.02 < horizontal < 0.06


def test_no_image_of_the_sample_is_in_two_parts() -> None:
    parts = [sample.read_sample(part)[0] for part in sample.PARTS]
    distinct = {image.tobytes() for images in parts for image in images}
    assert len(distinct) == 5_000


def test_the_sample_is_lossless_and_below_10_megabytes() -> None:
    paths = [ROOT / "search" / "samples" / f"{part}.webp" for part in sample.PARTS]
    assert sum(path.stat().st_size for path in paths) < 10_000_000
    assert all(path.read_bytes()[12:16] == b"VP8L" for path in paths)  # WebP's lossless chunk


def test_an_altered_sample_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    altered = sample._mosaic("validation").copy()
    altered[0, 0, 0] ^= 1
    monkeypatch.setattr(sample, "_mosaic", lambda _: altered)
    with pytest.raises(Refusal, match=r"validation\.webp must hold"):
        sample.read_sample("validation")


def test_a_mosaic_holds_its_images_row_after_row() -> None:
    images = np.random.default_rng(0).integers(0, 256, (100, 32, 32, 3), dtype=np.uint8)
    mosaic = sample.mosaic_of(images)
    assert mosaic.shape == (2 * 32, 50 * 32, 3)
    assert (mosaic[32:, :32] == images[50]).all()
    assert (sample.images_of(mosaic) == images).all()


def test_a_smaller_training_set_is_a_prefix() -> None:
    small, large = (data.load("cifar10-sample", num_train=number) for number in (25, 1_234))
    assert (large.train_images[:25] == small.train_images).all()
    assert (large.train_labels[:25] == small.train_labels).all()


def test_the_data_seed_does_not_move_the_sample() -> None:
    one, two = data.load("cifar10-sample", data_seed=0), data.load("cifar10-sample", data_seed=5)
    assert (one.train_images == two.train_images).all()


def test_the_split_is_45000_and_5000_balanced_and_complete() -> None:
    train, validation = split_indices(LABELS, 0)
    assert counts(LABELS[train]) == [4_500] * 10
    assert counts(LABELS[validation]) == [500] * 10
    assert sorted([*train, *validation]) == list(range(50_000))


def test_the_split_follows_the_raw_keys_of_its_seed() -> None:
    keys = np.random.PCG64(7).random_raw(50_000)
    _, validation = split_indices(LABELS, 7)
    cats = sorted(np.flatnonzero(LABELS == 3), key=lambda index: int(keys[index]))
    assert [int(index) for index in validation if LABELS[index] == 3] == cats[:500]


def test_the_split_depends_on_its_seed_alone() -> None:
    _, zero = split_indices(LABELS, 0)
    _, again = split_indices(LABELS.copy(), 0)
    _, one = split_indices(LABELS, 1)
    assert (zero == again).all()
    assert (
        len(set(zero.tolist()) & set(one.tolist())) < 700
    )  # 500 expected of two independent draws


@pytest.mark.parametrize("num_train", [10, 11, 999, 20_000, 44_999])
def test_every_prefix_is_as_balanced_as_it_can_be(num_train: int) -> None:
    train, _ = split_indices(LABELS, 3)
    found = counts(LABELS[train[:num_train]])
    assert max(found) - min(found) == (1 if num_train % 10 else 0)


@pytest.mark.parametrize("num_train", [-1, 0, 9, 3_001])
def test_a_training_set_out_of_range_is_refused(num_train: int) -> None:
    with pytest.raises(Refusal, match=f"num_train must be 10 to 3000 .* got {num_train}:"):
        data.load("cifar10-sample", num_train=num_train)


def test_more_than_45000_training_images_are_refused_before_any_fetch(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="num_train must be 10 to 45000 for cifar10, got 45001"):
        data.load("cifar10", tmp_path / "none", num_train=45_001)
    assert not (tmp_path / "none").exists()


def test_a_negative_data_seed_is_refused() -> None:
    with pytest.raises(Refusal, match="data_seed must be 0 or more, got -1"):
        data.load("cifar10", data_seed=-1)


def test_an_unknown_dataset_is_refused_with_the_choices(recorded: list[object]) -> None:
    recorded.append(ENTRY)
    with pytest.raises(Refusal, match="must be one of cifar10, cifar10-sample, got 'cifar100'"):
        data.load("cifar100")
    with pytest.raises(Refusal, match="got 'mnist'"):
        data.open_test("mnist", None, entry=ENTRY)


def test_a_split_has_no_test_images() -> None:
    assert [field.name for field in fields(data.Split)] == [
        "train_images",
        "train_labels",
        "validation_images",
        "validation_labels",
    ]


@pytest.mark.parametrize("dataset", data.DATASETS)
def test_test_images_stay_closed_without_an_entry(
    dataset: str, recorded: list[object], tmp_path: Path
) -> None:
    assert not recorded
    with pytest.raises(Refusal, match="got none for number 3 of study u1: `search confirm`"):
        data.open_test(dataset, tmp_path, entry=ENTRY)
    assert not list(tmp_path.iterdir())


def test_an_entry_opens_the_samples_test_images(recorded: list[object]) -> None:
    recorded.append(ENTRY)
    images, labels = data.open_test("cifar10-sample", None, entry=ENTRY)
    assert images.shape == (1_000, 32, 32, 3)
    assert counts(labels) == [100] * 10


def calls_of_readers() -> Iterator[tuple[str, str | None]]:
    """Function that calls a reader of images, and the literal part that it asks for."""
    for folder in ("search", "studies", "backbones", "space", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            for function in ast.walk(ast.parse(path.read_text())):
                if isinstance(function, ast.FunctionDef):
                    yield from ((function.name, part) for part in parts_read(function))


def parts_read(function: ast.FunctionDef) -> Iterator[str | None]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("read_part", "read_sample")
        ):
            yield next((str(a.value) for a in node.args if isinstance(a, ast.Constant)), None)


def test_open_test_alone_asks_for_test_images() -> None:
    calls = list(calls_of_readers())
    assert all(part in {"train", "validation", "test"} for _, part in calls)  # never a variable
    assert {function for function, part in calls if part == "test"} == {"open_test"}
