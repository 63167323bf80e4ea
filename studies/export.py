"""Architectures out of a finished study: which one, and the file's head that says why."""

import json
import re
from math import isnan
from pathlib import Path

from space import (
    Refusal,
    count_in_words,
    placements_in_words,
    share_in_words,
    write_architecture,
)

from .folders import MANIFEST, file_digests, new_folder
from .front import Front, Point, best, knee, recommended
from .insertion import insertion
from .store.storage import OpenStudy

PICKS = "recommended, best, knee, row:N, trial:N or front"
BY_RULE = {"recommended": recommended, "best": best, "knee": knee}
# Fields of a protocol that only a file gives, where they are not these defaults.
IN_FILES = {
    "momentum": 0.9,
    "warmup": 0.25,
    "label_smoothing": 0.1,
    "crop_padding": 4,
    "data_seed": 0,
    "recipe": "study",
}


def picked(front: Front, pick: str) -> tuple[Point, ...]:
    """Return the points that the pick names: one, or all rows for `front`.

    Raises:
        Refusal: no such pick, row or trial, or nothing has finished yet.
    """
    if not front.rows:
        raise Refusal("no training has finished yet; go on with `search run`")
    if pick == "front":
        return front.rows
    if pick in BY_RULE:
        return (BY_RULE[pick](front),)
    name, _, number = pick.partition(":")
    if name not in ("row", "trial") or not re.fullmatch("[0-9]{1,18}", number):
        raise Refusal(f"--pick must be {PICKS}, got {pick}")
    return (_row(front, int(number)) if name == "row" else _trial(front, int(number)),)


def export(points: tuple[Point, ...], front: Front, out: Path, *, study: OpenStudy) -> list[Path]:
    """Write one architecture file, or a folder of them with a manifest; return the paths.

    A folder is there whole or not at all, and takes the place of an earlier export.

    Raises:
        Refusal: `out` is the wrong one of file and folder, or holds what no export wrote, or a
            digest is no name for a file.
    """
    if out.suffix and len(points) > 1:
        raise Refusal(f"--out must be a folder for {len(points)} architectures, got {out}")
    if out.suffix:
        write_architecture(points[0].architecture, out, comment=head(points[0], front, study))
        return [out]
    names = [_file_name(point) for point in points]
    with new_folder(out) as folder:
        for name, point in zip(names, points, strict=True):
            comment = head(point, front, study)
            write_architecture(point.architecture, folder / name, comment=comment)
        entries = [facts(point, name) for point, name in zip(points, names, strict=True)]
        listed = {"study": study.name, "architectures": entries, "files": file_digests(folder)}
        (folder / MANIFEST).write_text(json.dumps(listed, indent=2) + "\n")
    return [out / name for name in (*names, MANIFEST)]


def facts(point: Point, file: str) -> dict[str, object]:
    """Return what a manifest says of one architecture and its file."""
    return {
        "file": file,
        "trial": point.trial,
        "digest": point.digest,
        "placements": placements_in_words(point.architecture),
        "estimate": point.estimate.accuracy,
        "standard_error": None
        if isnan(point.estimate.standard_error)
        else point.estimate.standard_error,
        "num_evaluations": point.estimate.num_evaluations,
        "macs": point.cost.macs,
        "params": point.cost.params,
    }


def head(point: Point, front: Front, study: OpenStudy) -> str:
    """Return the lines on top of an exported file: what it is, how it did, how to use it."""
    known = point.estimate
    error = "unknown" if isnan(known.standard_error) else f"{100 * known.standard_error:.2f}"
    shares = [
        f"{count_in_words(point.cost[n])} {label} "
        f"({share_in_words(point.cost[n], front.plain_cost[n])} over plain)"
        for n, label in (("macs", "MACs"), ("params", "params"))
    ]
    return "\n".join(
        [
            f"{placements_in_words(point.architecture)} on {point.architecture.backbone}",
            f"study {study.name}, trial {point.trial}, digest {point.digest}",
            f"validation accuracy {100 * known.accuracy:.2f} ± {error} % under the study's own "
            f"short protocol (n = {known.num_evaluations})",
            f"cost {', '.join(shares)}",
            f"train it as the study did: {train_command(study, 'FILE')}",
            *only_in_file(study),
            "build it: backbones.build(space.read_architecture(Path('FILE')))",
            *([] if point.architecture.is_plain else [insertion(point.architecture)]),
        ]
    )


def train_command(study: OpenStudy, file: str) -> str:
    """Return the command that trains the file under the study's own protocol."""
    names = ("dataset", "train_images", "epochs", "batch_size", "learning_rate", "weight_decay")
    used = [*names, *(name for name in ("averaging", "curve_images") if study.settings[name])]
    options = (f"--{name.replace('_', '-')} {study.settings[name]}" for name in used)
    return f"search train {file} {' '.join(options)}"


def only_in_file(study: OpenStudy) -> list[str]:
    """Return one line on what the command has no option for, if the study differs there."""
    given = {name: study.settings.get(name, usual) for name, usual in IN_FILES.items()}
    other = [f"{name}: {value}" for name, value in given.items() if value != IN_FILES[name]]
    if not other:
        return []
    own = f"protocol: {{{', '.join(other)}}}"
    return [f"its further settings need --protocol, a file with `version: 1` and `{own}`"]


def _row(front: Front, number: int) -> Point:
    if not 1 <= number <= len(front.rows):
        raise Refusal(f"--pick row must be 1 to {len(front.rows)}, got {number}")
    return front.rows[number - 1]


def _trial(front: Front, number: int) -> Point:
    """Return the point of the trial's architecture, be it its first trial or a replicate."""
    for point in front.points:
        if number in point.trials:
            return point
    raise Refusal(f"trial {number} has no finished training; `search status` counts them")


def _file_name(point: Point) -> str:
    """Return a name that stays in its folder, whatever the database holds."""
    if re.fullmatch("[0-9a-f]{16}", point.digest) is None:
        raise Refusal(
            f"a digest must be 16 hexadecimal digits to name a file, got {point.digest!r}; the "
            "database was changed by another program"
        )
    return f"trial{point.trial:04d}-{point.digest}.yaml"
