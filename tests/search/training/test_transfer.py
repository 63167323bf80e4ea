"""Weights of one network as the start of another."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from search.training.transfer import in_words, transferred
from search.training.weights import save_weights
from search.training.worker import seeded_model
from space import MECHANISMS, Architecture, Refusal, SearchSpace, baselines, plain

PLAIN = plain("resnet8")
USUAL = baselines(SearchSpace(backbone="resnet8"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a plain ResNet-8 of seed 7."""
    path = tmp_path_factory.mktemp("weights") / "plain.safetensors"
    save_weights(seeded_model(PLAIN, 7), PLAIN, path)
    return path


@pytest.mark.parametrize("kind", MECHANISMS)
def test_plain_weights_fit_whole_into_any_attention_network(kind: str, weights: Path) -> None:
    model, source = seeded_model(USUAL[kind], 0), seeded_model(PLAIN, 7).state_dict()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = transferred(model, weights)
    assert set(found.loaded) == set(source)
    assert found.unused == ()
    for name, value in model.state_dict().items():
        assert torch.equal(value, source[name] if name in source else before[name]), name
    assert set(found.fresh) == set(before) - set(source)


def test_what_has_another_shape_stays_fresh_and_is_named(tmp_path: Path) -> None:
    se = USUAL["se"]
    tensors = dict(seeded_model(se, 7).state_dict())
    name = next(one for one in tensors if one.endswith("residual.0.squeeze.weight"))
    tensors[name] = tensors[name].new_zeros(3, 3)
    tensors["elsewhere.weight"] = torch.zeros(2)
    save_file(tensors, tmp_path / "odd.safetensors")
    model = seeded_model(se, 0)
    found = transferred(model, tmp_path / "odd.safetensors")
    assert found.fresh == (name,)
    assert set(found.unused) == {name, "elsewhere.weight"}
    place = name.removesuffix(".squeeze.weight")
    total = len(model.state_dict())
    assert in_words(found, model) == (
        f"{total - 1} of {total} tensors loaded; fresh: {place}; of another shape: {name} 3 x 3, "
        f"here {' x '.join(map(str, model.state_dict()[name].shape))}; "
        "2 of the file have no place here"
    )


def test_fresh_attention_is_named_by_its_places(weights: Path) -> None:
    model = seeded_model(USUAL["se"], 0)
    words = in_words(transferred(model, weights), model)
    first, second, third = (f"stage{number}.block1.residual.0" for number in (1, 2, 3))
    assert words.endswith(f"tensors loaded; fresh: {first}, {second}, {third}")
    deep = Architecture.model_validate({**USUAL["se"].model_dump(), "backbone": "resnet56"})
    many = seeded_model(deep, 0)
    assert in_words(transferred(many, weights), many).endswith(" more")


def test_files_without_a_fitting_tensor_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"layer1.weight": torch.zeros(2)}, path)
    with pytest.raises(Refusal, match=r"tensors of this network, got none of \d+ in .*other"):
        transferred(seeded_model(PLAIN, 0), path)
    (tmp_path / "text.safetensors").write_text("no tensors")
    for name in ("text.safetensors", "none.safetensors"):
        with pytest.raises(
            Refusal, match=f"--init-from must be a .safetensors file, got .*{name}"
        ):
            transferred(seeded_model(PLAIN, 0), tmp_path / name)
