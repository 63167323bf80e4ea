"""A network as an ONNX model that was run and compared before it is kept: `onnx_model(model)`.

Shapes: B images, C channels, H x W positions; attention has Q queries, K keys, D embedding, E
values.
"""

import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from space import Refusal

from .modes import evaluating

TOLERANCE = 1e-4  # of the largest output, and of 1 where that is smaller
PACKAGES = ("onnx", "onnxruntime", "onnxscript")
EXAMPLE_BATCH = 2  # torch specialises what it exports with one image
OTHER_BATCHES = (1, 3)  # that a model for any batch is tried with
IMAGES, LOGITS, BATCH = "images", "logits", "batch"


def refuse_missing_packages() -> None:
    """Refuse to go on without what writes ONNX models and runs them.

    Raises:
        Refusal: names what is missing, and the extra that brings it.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise Refusal(
            f"an ONNX model needs {', '.join(PACKAGES)}, got no {', '.join(missing)}; install "
            "them with the extra `onnx`: pip install 'attention-search[onnx]'"
        )


def onnx_model(model: nn.Module, side: int, batch: int | None = None) -> bytes:
    """Return the model, in evaluation mode, for square images: `images` in, `logits` out.

    It takes `batch` images at once; any number where none is named.

    Raises:
        Refusal: the packages that it takes are missing, or onnxruntime returns something else
            than torch does.
    """
    refuse_missing_packages()
    with evaluating(model), torch.no_grad():
        written = _written(model, torch.zeros(batch or EXAMPLE_BATCH, 3, side, side), batch)
        for size in OTHER_BATCHES if batch is None else (batch,):
            _refuse_difference(model, written, size, side)
    return written


def _written(model: nn.Module, x_BCHW: Tensor, batch: int | None) -> bytes:
    """Return the model as bytes, unchecked; constants computed, nothing else rewritten."""
    shapes = None if batch else ({0: torch.export.Dim.DYNAMIC},)
    names = None if batch else ({0: BATCH},)
    with warnings.catch_warnings():
        # They are about torch's own parts and its next versions.
        warnings.simplefilter("ignore")
        from onnxscript import optimizer

        program = torch.export.export(model, (x_BCHW,), dynamic_shapes=shapes)
        written = torch.onnx.export(
            program.run_decompositions(_plain_forms()),
            (),
            dynamo=True,
            verbose=False,
            optimize=False,  # that would fold batch norms, asked for or not
            input_names=[IMAGES],
            output_names=[LOGITS],
            dynamic_shapes=names,
        )
        assert written is not None, "with dynamo it is returned"
        optimizer.fold_constants(written.model)
        optimizer.remove_unused_nodes(written.model)
    data: bytes = written.model_proto.SerializeToString()
    return data


def _plain_forms() -> dict[Any, Callable[..., Tensor]]:
    """Return what torch's exporter cannot write as it stands: attention without heads."""
    return {torch.ops.aten.scaled_dot_product_attention.default: _attended}


def _attended(
    query_QD: Tensor,
    key_KD: Tensor,
    value_KE: Tensor,
    bias_QK: Tensor | None = None,
    *_: Sequence[object],
    scale: float | None = None,
) -> Tensor:
    """Return softmax(scale·Q·Kᵀ + bias)·V, in torch's own order of arguments."""
    factor = query_QD.shape[-1] ** -0.5 if scale is None else scale
    logits_QK = torch.matmul(query_QD * factor, key_KD.transpose(-1, -2))
    if bias_QK is not None:
        logits_QK = logits_QK + bias_QK
    return torch.matmul(logits_QK.softmax(dim=-1), value_KE)


def _refuse_difference(model: nn.Module, written: bytes, batch: int, side: int) -> None:
    import onnxruntime

    generator = torch.Generator().manual_seed(batch)
    x_BCHW = torch.randn(batch, 3, side, side, generator=generator)
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    (found_BK,) = session.run([LOGITS], {IMAGES: x_BCHW.numpy()})
    expected_BK = model(x_BCHW)
    difference = float((torch.from_numpy(found_BK) - expected_BK).abs().max())
    if not difference <= TOLERANCE * max(1.0, float(expected_BK.abs().max())):
        raise Refusal(
            f"the ONNX model must return what torch does within {TOLERANCE:g}, got a difference "
            f"of {difference:.2g} for {batch} images, so it is not kept; the weights may be no "
            "numbers, or the packages too old"
        )
