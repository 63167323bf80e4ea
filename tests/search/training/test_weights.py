"""Saved weights, and the test images that they meet once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from search.config import StudyConfig
from search.training.latency import latency_ratios
from search.training.loop import validate
from search.training.testing import reader, validated_on
from search.training.weights import load_weights, save_weights
from search.training.worker import images_of, seeded_model
from space import Refusal, SearchSpace, baselines, plain
from studies import OpenStudy
from studies.confirmation.ledger import LedgerEntry, open_entry, store_reading
from studies.store.extras import Wanted, asked_for

pytestmark = pytest.mark.usefixtures("one_thread")
SE = baselines(SearchSpace(backbone="resnet8"))["se"]


def test_weights_come_back_as_they_were(tmp_path: Path) -> None:
    model, path = seeded_model(SE, 3), tmp_path / "w.safetensors"
    save_weights(model, SE, path)
    assert [one.name for one in tmp_path.iterdir()] == ["w.safetensors"]
    found = load_weights(SE, path).state_dict()
    assert found.keys() == model.state_dict().keys()
    assert all(torch.equal(one, found[name]) for name, one in model.state_dict().items())


def test_weights_of_another_network_and_what_is_no_file_of_ours_are_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(seeded_model(SE, 3), SE, path)
    with pytest.raises(Refusal, match="must hold weights of this architecture, got another's"):
        load_weights(plain("resnet8"), path)
    path.write_bytes(b"nothing")
    with pytest.raises(Refusal, match="must hold weights of `search train --save`"):
        load_weights(SE, path)


def test_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="the weights could not be written"):
        save_weights(seeded_model(SE, 3), SE, tmp_path / "none" / "w.safetensors")


@pytest.fixture
def entry(study: OpenStudy) -> LedgerEntry:
    (model,) = asked_for(study, [Wanted("confirm", SE, 3, "p")])
    return open_entry(study, model, "confirm")


def test_the_test_images_are_read_for_the_saved_network(
    study: OpenStudy, entry: LedgerEntry, small_config: StudyConfig, tmp_path: Path
) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(seeded_model(SE, 3), SE, path)
    read = reader(small_config.protocol, None, "cpu")
    accuracy, correct = read(SE, path, entry)
    with pytest.raises(Refusal, match="opens for the network"):
        read(plain("resnet8"), path, entry)
    bits = np.unpackbits(np.frombuffer(correct, dtype=np.uint8))
    assert len(bits) == 1_000
    assert accuracy == pytest.approx(bits.mean())
    with pytest.raises(Refusal, match="only with an unused entry in the test ledger"):
        read(SE, path, replace(entry, number=entry.number + 1))
    store_reading(study, entry, accuracy, correct)
    with pytest.raises(Refusal, match="only with an unused entry in the test ledger"):
        read(SE, path, entry)


def test_testing_is_validating_on_other_images(small_config: StudyConfig) -> None:
    images = images_of(small_config.protocol, None, "cpu")
    model = seeded_model(SE, 3)
    found = validated_on(
        model,
        images.validation_NHWC.numpy(),
        images.validation_labels_N.numpy().astype(np.uint8),
        device=torch.device("cpu"),
        precision="float32",
    )
    assert found == validate(model, images, "float32")


def test_pooled_images_are_those_of_training_then_those_of_validation(
    small_config: StudyConfig,
) -> None:
    own = images_of(small_config.protocol, None, "cpu")
    both = images_of(small_config.protocol, None, "cpu", with_validation=True)
    assert len(both.train_labels_N) == 200 + 1_000
    assert torch.equal(both.train_labels_N[:200], own.train_labels_N)
    assert torch.equal(both.train_labels_N[200:], own.validation_labels_N)
    inner = both.train_NPPC[200:, 4:36, 4:36]
    assert torch.equal(inner, own.validation_NHWC)
    assert torch.equal(both.validation_NHWC, own.validation_NHWC)


def test_plain_takes_as_long_as_itself() -> None:
    assert latency_ratios([plain("resnet8"), SE], "cpu")[0] == 1.0
