"""A network's attention modules looked at with real validation images: facts to draw and print."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from backbones import GateStatistics, ModuleStatistics, reason_dead, recorded
from backbones.attention import Gate
from space import Slot, placements_in_words, plan
from studies.pictures.facts import FloatArray, GateValues, Looked, ModuleFacts, View, sampled

from .augment import normalised
from .gate_views import as_array, gate_views, joined
from .subject import Subject
from .worker import gates_of

ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")
CLASSES = ("airplane", "automobile", *ANIMALS, "ship", "truck")  # of CIFAR-10, in its order
AT_ONCE = 4  # a map of 1,024 positions squared is 4 MB for each image, head and module
VALUES_OF_AN_IMAGE = 4096  # for a histogram


def looked(subject: Subject, num_images: int) -> Looked:
    """Return what each module does with the first validation images, a class in turn.

    The statistics are those of `search train`, over more images than are shown.
    """
    model, architecture, images = subject.model, subject.architecture, subject.images
    shown_BHWC = images.validation_NHWC[:num_images]
    slots = {module_name(slot): slot for slot in plan(architecture)}
    statistics = gates_of(model, images)
    views: dict[str, list[tuple[View, ...]]] = {name: [] for name in slots}
    values: dict[str, list[tuple[GateValues, ...]]] = {name: [] for name in slots}
    answers: list[int] = []
    for part_BHWC in shown_BHWC.split(AT_ONCE):
        x_BCHW = normalised(part_BHWC)
        answers += _answers(model, x_BCHW)
        for name, gates in recorded(model, x_BCHW).items():
            views[name].append(gate_views(slots[name], gates))
            values[name].append(_values(gates, statistics[name].gates))
    modules = tuple(
        _facts(slots[name], statistics[name], joined(views[name]), _joined_values(values[name]))
        for name in slots
    )
    labels = images.validation_labels_N[:num_images].tolist()
    captions = tuple(map(_caption, labels, answers))
    title = f"{placements_in_words(architecture)} on {architecture.backbone}"
    return Looked(title, shown_BHWC.cpu().numpy(), captions, modules)


def module_name(slot: Slot) -> str:
    """Return the module's qualified name in the network that `backbones.build` makes."""
    if slot.position == "stage_end":
        return f"stage{slot.stage}.end.{slot.order}"
    return f"stage{slot.stage}.block{slot.block}.{slot.position}.{slot.order}"


def gate_in_words(gate: GateStatistics) -> str:
    """Return what tells a gate that works from an idle one."""
    if gate.form == "scalar":
        return f"{gate.mean:.3g}"
    parts = [f"mean {gate.mean:.3g}"]
    if gate.spread is not None:
        parts.append(f"varies by {gate.spread:.2g} between images")
    if gate.saturation is not None:
        parts.append(f"{100 * gate.saturation:.1f} % at its limits")
    if gate.entropy is not None:
        parts.append(f"entropy {100 * gate.entropy:.1f} % of a plain mean's")
    if gate.diagonal is not None:
        parts.append(f"{100 * gate.diagonal:.1f} % from itself")
    return ", ".join(parts)


def _facts(
    slot: Slot,
    statistics: ModuleStatistics,
    views: tuple[View, ...],
    values: tuple[GateValues, ...],
) -> ModuleFacts:
    reason = reason_dead(statistics)
    words = f"{slot.attention.in_words()} on {slot.shape}"
    works = f"works: changes its input by {100 * statistics.gain:.3g} % of its size"
    verdict = f"without effect: {reason}" if reason else works
    return ModuleFacts(module_name(slot), words, verdict, reason is not None, views, values)


def _values(
    gates: Mapping[str, Gate], statistics: Mapping[str, GateStatistics]
) -> tuple[GateValues, ...]:
    return tuple(
        GateValues(
            name=name,
            words=gate_in_words(statistics[name]),
            values=_few(gate),
            limits=gate.limits,
            num_keys=gate.values.shape[-1] if gate.form == "rows" and gate.limits else None,
        )
        for name, gate in gates.items()
    )


def _few(gate: Gate) -> FloatArray:
    """Return some of the values of each image for a histogram, without the zeros of criss-cross.

    It stands in its column and in its row: the column's entry counts nothing.
    """
    values = as_array(gate)
    if gate.form == "scalar":
        return values
    num_keys = values.shape[-1]
    if gate.form == "rows" and gate.own is not None and values.shape[-2] != num_keys:
        height = values.shape[-3]
        values = values.copy()
        values[..., np.arange(height), :, np.arange(height)] = np.nan
    return sampled(values, VALUES_OF_AN_IMAGE)


def _joined_values(parts: Sequence[tuple[GateValues, ...]]) -> tuple[GateValues, ...]:
    """Return the same gates' values of further images as one; a scalar stays one."""
    return tuple(
        one
        if one.values.ndim == 0
        else replace(one, values=np.concatenate([gate.values for gate in gates]))
        for gates in zip(*parts, strict=True)
        for one in gates[:1]
    )


@torch.no_grad()
def _answers(model: nn.Module, x_BCHW: Tensor) -> list[int]:
    model.eval()
    answers: list[int] = model(x_BCHW).argmax(dim=1).tolist()
    return answers


def _caption(label: int, answer: int) -> str:
    """Return what an image shows, and what the network takes it for."""
    return CLASSES[label] if label == answer else f"{CLASSES[label]}, not {CLASSES[answer]}"
