"""What a study uses where the user says nothing."""

from collections.abc import Mapping

from space import backbone

from .config import NUM_TRAIN

Settings = Mapping[str, object]


def default_backbone(device: str) -> str:
    """Return a network whose study fits the device."""
    return "resnet18" if device == "cuda" else "resnet20"


def with_defaults(given: Settings, device: str, precision: str) -> dict[str, object]:
    """Return the given settings and, for the rest, what fits the device and the backbone."""
    dataset = str(given.get("dataset", "cifar10"))
    name = str(given.get("backbone", default_backbone(device)))
    wide = backbone(name).stages[0].width >= 64
    large = device == "cuda" and wide
    defaults = {
        "dataset": dataset,
        "train_images": NUM_TRAIN.get(dataset, 0),
        "backbone": name,
        "epochs": 18 if device == "cuda" else 6,
        "batch_size": 512 if large else 128,
        "learning_rate": 0.4 if large else 0.1 if wide else 0.2,
        "precision": precision,
    }
    return {**defaults, **given}
