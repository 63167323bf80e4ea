"""The file that puts placements into a network of torchvision's."""

from pathlib import Path

import pytest
from torch import nn

from space import MECHANISMS, SearchSpace, baselines, write_architecture
from studies.insertion import insertion_file


def built(backbone: str, kind: str, folder: Path, **given: str) -> nn.Module:
    """Write both files into the folder, and run what `insert.py` defines."""
    architecture = baselines(SearchSpace(backbone=backbone))[kind]
    write_architecture(architecture, folder / "architecture.yaml")
    path = folder / "insert.py"
    path.write_text(insertion_file(architecture))
    names: dict[str, object] = {"__file__": str(path), "__name__": "insert"}
    exec(compile(path.read_text(), str(path), "exec"), names)
    build = names["build"]
    assert callable(build)
    model = build(**given)
    assert isinstance(model, nn.Module)
    return model


def test_placements_stand_where_they_stood_and_the_fourth_stage_stays_plain(
    tmp_path: Path,
) -> None:
    model = built("resnet8", "se", tmp_path)
    keys = model.state_dict().keys()
    for number in (1, 2, 3):
        assert f"layer{number}.0.residual.0.squeeze.weight" in keys
    assert not any(".residual." in key for key in keys if key.startswith("layer4."))
    assert "torchvision's fourth stage stays plain" in (tmp_path / "insert.py").read_text()


def test_a_gain_of_zero_is_put_in_front_if_asked_for(tmp_path: Path) -> None:
    keys = built("resnet18", "se", tmp_path, gain="zero").state_dict().keys()
    assert "layer4.1.residual.0.gain" in keys
    assert "fourth" not in (tmp_path / "insert.py").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("kind", MECHANISMS)
@pytest.mark.parametrize("backbone", ["resnet8", "resnet26"])
def test_every_mechanism_can_be_inserted(backbone: str, kind: str, tmp_path: Path) -> None:
    model = built(backbone, kind, tmp_path)
    assert type(model).__name__ == "ResNet"
    assert ("conv3" in dict(model.get_submodule("layer1.0").named_children())) == (
        backbone == "resnet26"
    )
