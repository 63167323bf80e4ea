"""ONNX models: what they take and return, and what is refused."""

import importlib.util

import pytest
import torch

import backbones.onnx as written
from backbones import build
from backbones.fold import folded
from backbones.onnx import PACKAGES, onnx_model, refuse_missing_packages
from space import MECHANISMS, Architecture, Refusal, SearchSpace, baselines
from tests.backbones.standalone_files import stirred

MISSING = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
with_extra = pytest.mark.skipif(
    bool(MISSING), reason=f"needs the extra onnx, which brings {', '.join(MISSING)}"
)
USUAL = baselines(SearchSpace(backbone="resnet8"))


def spread(kinds: tuple[str, ...]) -> Architecture:
    """Return a network with these mechanisms, one in each stage from the last on."""
    stages: list[tuple[object, ...]] = [(), (), ()]
    for index, kind in enumerate(kinds):
        stages[2 - index] = (USUAL[kind].stages[1][0],)
    return Architecture.model_validate({"backbone": "resnet8", "stages": stages})


def shapes_of(data: bytes) -> dict[str, list[str | int]]:
    """Return what the model takes and returns."""
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return {one.name: one.shape for one in (*session.get_inputs(), *session.get_outputs())}


def num_norms(data: bytes) -> int:
    import onnx

    nodes = onnx.load_from_string(data).graph.node
    return sum(node.op_type == "BatchNormalization" for node in nodes)


def test_missing_packages_are_refused_by_the_extras_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "PACKAGES", ("torch", "no_such_package"))
    with pytest.raises(
        Refusal, match=r"no_such_package; .*pip install 'attention-search\[onnx\]'"
    ):
        refuse_missing_packages()


@with_extra
@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, len(MECHANISMS), 3))
def test_every_mechanism_is_written_as_it_computes(first: int) -> None:
    """`onnx_model` itself compares with torch, for one image and for three."""
    architecture = spread(tuple(MECHANISMS)[first : first + 3])
    data = onnx_model(stirred(build(architecture)), 32)
    assert shapes_of(data) == {"images": ["batch", 3, 32, 32], "logits": ["batch", 10]}


@with_extra
@pytest.mark.slow
def test_norms_stay_until_they_are_folded_and_a_batch_can_be_fixed() -> None:
    model = stirred(build(USUAL["se"]))
    plain = onnx_model(model, 32, 4)
    without = onnx_model(folded(model, torch.randn(2, 3, 32, 32)), 32, 4)
    assert shapes_of(plain) == {"images": [4, 3, 32, 32], "logits": [4, 10]}
    # Seven of resnet8: the stem's, and two in each of three blocks.
    assert (num_norms(plain), num_norms(without)) == (7, 0)


@with_extra
@pytest.mark.slow
def test_a_model_that_returns_something_else_is_refused() -> None:
    model = stirred(build(USUAL["se"]))
    with torch.no_grad():
        model.get_submodule("head.linear").get_parameter("bias").fill_(torch.nan)
    with pytest.raises(Refusal, match=r"within 0\.0001, got a difference of nan"):
        onnx_model(model, 32, 1)
