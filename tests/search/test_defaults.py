from itertools import product

import pytest

from search.config import NUM_TRAIN, config_of
from search.defaults import default_backbone, with_defaults
from space import BACKBONES, Refusal


def test_a_gpu_gets_the_wider_network() -> None:
    assert default_backbone("cpu") == "resnet20"
    assert default_backbone("cuda") == "resnet18"


@pytest.mark.parametrize(("device", "name"), list(product(("cpu", "cuda"), BACKBONES)))
def test_the_defaults_are_a_valid_study_on_every_device_and_backbone(
    device: str, name: str
) -> None:
    config = config_of(with_defaults({"backbone": name}, device, "float32"))
    assert config.backbone == name
    assert config.protocol.dataset == "cifar10"
    assert config.protocol.train_images == NUM_TRAIN["cifar10"]


@pytest.mark.parametrize("dataset", NUM_TRAIN)
def test_all_images_of_the_data_set_are_trained_on(dataset: str) -> None:
    found = with_defaults({"dataset": dataset}, "cpu", "float32")
    assert found["train_images"] == NUM_TRAIN[dataset]


def test_what_is_given_stands() -> None:
    given: dict[str, object] = {
        "backbone": "resnet8",
        "epochs": 2,
        "batch_size": 32,
        "learning_rate": 0.5,
        "train_images": 77,
        "seed": 9,
    }
    found = with_defaults(given, "cuda", "bfloat16")
    assert given.items() <= found.items()
    assert found["precision"] == "bfloat16"


def test_a_wide_network_gets_large_batches_on_a_gpu_only() -> None:
    sizes = {
        (name, device): with_defaults({"backbone": name}, device, "float32")["batch_size"]
        for name, device in product(("resnet20", "resnet18"), ("cpu", "cuda"))
    }
    large = [key for key, size in sizes.items() if size == 512]
    assert large == [("resnet18", "cuda")]
    assert set(sizes.values()) == {128, 512}


def test_the_rate_grows_with_the_batch() -> None:
    """Goyal et al., arXiv:1706.02677, sec. 2.1: four times the batch, four times the rate."""
    small, large = (with_defaults({"backbone": "resnet18"}, d, "float32") for d in ("cpu", "cuda"))
    assert isinstance(small["learning_rate"], float)
    assert isinstance(small["batch_size"], int)
    assert large["learning_rate"] == pytest.approx(4 * small["learning_rate"])
    assert large["batch_size"] == 4 * small["batch_size"]


def test_an_unknown_data_set_or_backbone_is_refused_by_its_name() -> None:
    with pytest.raises(Refusal, match=r"backbone must be one of .*, got resnet51"):
        with_defaults({"backbone": "resnet51"}, "cpu", "float32")
    with pytest.raises(Refusal, match=r"--dataset: .*got mnist"):
        config_of(with_defaults({"dataset": "mnist"}, "cpu", "float32"))
