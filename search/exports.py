"""An export folder: one architecture as everything that is needed to use it elsewhere."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from space import Refusal, write_architecture
from studies import Front, OpenStudy, Point, evaluations
from studies.confirmation.stored import Confirmed, confirmations, confirmed, standing_of
from studies.export import facts, head
from studies.folders import MANIFEST, file_digests, new_folder, refuse_other_content
from studies.insertion import insertion_file, torchvision_name
from studies.model_card import Card, model_card

from .front_files import kept_weights

ARCHITECTURE, MODEL, INSERT = "architecture.yaml", "model.py", "insert.py"
WEIGHTS, ONNX, CARD = "weights.safetensors", "model.onnx", "MODEL_CARD.md"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a folder shall hold beside the architecture: weights, and an ONNX model of them.

    `batch` is how many images that takes at once; None is any number. `origin` says how the
    weights were trained.
    """

    weights: Path | None = None
    onnx: bool = False
    fold: bool = False
    batch: int | None = None
    origin: str = "from a file that does not say how"

    def __post_init__(self) -> None:
        if self.fold and not self.onnx:
            raise Refusal(
                "--fold needs --onnx, whose batch norms it folds: model.py and the weights stay "
                "trainable; add --onnx or leave it out"
            )
        if self.batch is not None and not self.onnx:
            raise Refusal(f"--onnx-batch needs --onnx, got {self.batch} without; add --onnx")
        if self.batch is not None and self.batch < 1:
            raise Refusal(f"--onnx-batch must be at least 1, got {self.batch}")


def with_kept_weights(wanted: Wanted, point: Point, study: OpenStudy) -> Wanted:
    """Return it with the weights that the study has kept of the network, if none are named."""
    if wanted.weights is not None:
        return wanted
    kept = kept_weights(study, evaluations(study), point.digest)
    if kept is None:
        return wanted
    return replace(wanted, weights=kept, origin="of a training of the study, in its own protocol")


def export_folder(
    point: Point, front: Front, out: Path, *, study: OpenStudy, wanted: Wanted
) -> list[Path]:
    """Write the folder, whole or not at all; return the paths.

    Raises:
        Refusal: `out` holds something else, the weights are another network's, or a package is
            missing.
    """
    refuse_other_content(out)
    with new_folder(out) as folder:
        files: dict[str, str] = {}
        own = _with_weights(point, folder, wanted)
        for name, what in _written(own, front, folder, study=study, wanted=wanted):
            files[name] = what
        found, is_begun = _confirmed(own, front, study)
        card = Card(own, front, study, files, found, is_begun)
        (folder / CARD).write_text(model_card(card), encoding="utf-8")
        manifest = {
            "study": study.name,
            "architectures": [facts(own, ARCHITECTURE)],
            "files": file_digests(folder),
        }
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return [out / name for name in (*files, CARD, MANIFEST)]


def _with_weights(point: Point, folder: Path, wanted: Wanted) -> Point:
    """Copy the weights, if any, and return the point in the spelling that they were trained in."""
    if wanted.weights is None:
        return point
    from .training.trained import trained_architecture

    architecture = trained_architecture(wanted.weights, point.architecture)
    shutil.copyfile(wanted.weights, folder / WEIGHTS)
    return replace(point, architecture=architecture)


def _written(
    point: Point, front: Front, folder: Path, *, study: OpenStudy, wanted: Wanted
) -> Iterator[tuple[str, str]]:
    """Write each file; yield its name and what it is."""
    from backbones.standalone import standalone

    architecture = point.architecture
    comment = head(point, front, study)
    write_architecture(architecture, folder / ARCHITECTURE, comment=comment)
    yield ARCHITECTURE, "the network in words; `search train` builds and trains it"
    (folder / MODEL).write_text(standalone(architecture, _comment(study)), encoding="utf-8")
    yield MODEL, "the same network in plain PyTorch, for Python 3.10 or later; needs torch only"
    if not architecture.is_plain:
        (folder / INSERT).write_text(insertion_file(architecture))
        name = torchvision_name(architecture)
        yield INSERT, f"its placements in torchvision's {name}; needs attention-search"
    if wanted.weights is not None:
        yield WEIGHTS, f"trained weights, {wanted.origin}"
    if wanted.onnx:
        from .training.trained import write_onnx

        weights = folder / WEIGHTS if wanted.weights else None
        write_onnx(
            architecture, folder / ONNX, weights=weights, fold=wanted.fold, batch=wanted.batch
        )
        yield ONNX, _onnx_in_words(wanted)


def _comment(study: OpenStudy) -> str:
    """Return what a reader of the model needs to know of its images, and where it comes from."""
    from .training.augment import MEAN, STD

    mean, std = (", ".join(f"{one:.4f}" for one in colours) for colours in (MEAN, STD))
    return (
        f"Their colours are those from 0 to 1, less ({mean}), over ({std}).\n"
        f"Made by `search export` of attention-search from study {study.name}; see {CARD}.\n"
        "Apache-2.0.\n"
    )


def _onnx_in_words(wanted: Wanted) -> str:
    images = "any number of images" if wanted.batch is None else f"{wanted.batch} at once"
    norms = ", batch norms folded into convolutions" if wanted.fold else ""
    whose = "" if wanted.weights else "; UNTRAINED, with random weights: good for timing only"
    return f"`images` to `logits`, {images}{norms}; onnxruntime agreed with torch to 1e-4{whose}"


def _confirmed(point: Point, front: Front, study: OpenStudy) -> tuple[tuple[Confirmed, ...], bool]:
    """Return the finished confirmations of this network, and whether another was begun."""
    own = [
        one for one in confirmations(study) if any(arm.digest == point.digest for arm in one.arms)
    ]
    finished = [one for one in own if standing_of(study, one).is_read]
    found = tuple(confirmed(study, one, front.noise) for one in finished)
    return found, len(finished) < len(own)
