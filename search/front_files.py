"""Files of front members beside the database: weights, pictures, and what Optuna keeps of those.

A worker writes them for a training that may be on the front; they go when it is not.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from studies import Evaluation, Front, OpenStudy, database_of
from studies.pictures.drawings import drawing
from studies.store.artifacts import attach

from .executors.jobs import Keep

WEIGHTS, GATES = ".safetensors", ".gates.png"
# Names that only we write; anybody may keep other files there.
KEPT = re.compile(r"([0-9]+)(\.safetensors|\.gates\.png)")
HALF = re.compile(
    rf"\.{KEPT.pattern}(\.[0-9]+)?\.part"
)  # of workers that were killed as they wrote


def front_folder(study: OpenStudy) -> Path:
    """Return the folder of the study's front members, beside its database."""
    return database_of(study.url).beside(f"{study.name}.front")


def kept_weights(study: OpenStudy, found: Collection[Evaluation], digest: str) -> Path | None:
    """Return the newest weights that were kept of an architecture, if there are some."""
    return _newest(study, found, digest, WEIGHTS)


def kept_gates(study: OpenStudy, found: Collection[Evaluation], digest: str) -> Path | None:
    """Return the newest picture of its gates, if there is one."""
    return _newest(study, found, digest, GATES)


def _newest(
    study: OpenStudy, found: Collection[Evaluation], digest: str, ending: str
) -> Path | None:
    ids = sorted((one.id for one in found if one.digest == digest), reverse=True)
    paths = (front_folder(study) / f"{number}{ending}" for number in ids)
    return next((path for path in paths if path.is_file()), None)


def keep_of(study: OpenStudy, row: Evaluation, front: Front | None) -> Keep | None:
    """Return what a worker shall keep of a training: all that comes near the front at its cost."""
    if row.purpose == "reference":
        return None
    return replace(whole_keep(study, row), above=_level(front, row), required=False)


def whole_keep(study: OpenStudy, row: Evaluation) -> Keep:
    """Return the files of a training, to be kept whatever its accuracy."""
    folder = front_folder(study)
    folder.mkdir(exist_ok=True)
    return Keep(folder / f"{row.id}{WEIGHTS}", folder / f"{row.id}{GATES}")


def attach_pictures(study: OpenStudy, row: Evaluation) -> None:
    """Attach to a trial what was kept of it: the dashboard shows it."""
    folder = front_folder(study)
    if row.trial is None or not (folder / f"{row.id}{WEIGHTS}").is_file():
        return
    attach(study, row.trial, "architecture.svg", drawing(row.architecture).encode())
    gates = folder / f"{row.id}{GATES}"
    if gates.is_file():
        attach(study, row.trial, "gates.png", gates.read_bytes())


def prune(
    study: OpenStudy, front: Front, known: dict[int, Evaluation], running: Collection[int]
) -> None:
    """Remove the files of all that is not on the front, but for the newest run of each row.

    While trainings run, what their estimates may bring back stays, too: all that comes near the
    front at its cost. What others keep in the folder stays.
    """
    newest: dict[str, int] = {}
    paths = [(int(match[1]), path) for path, match in _named(study, KEPT)]
    on_front = {one.digest for one in front.rows}
    for number, _ in paths:
        row = known.get(number)
        if row is None or row.accuracy is None or row.state != "complete":
            continue
        if row.digest in on_front or (running and row.accuracy >= _level(front, row)):
            newest[row.digest] = max(number, newest.get(row.digest, 0))
    kept = {*newest.values(), *running}
    gone = [path for number, path in paths if number not in kept]
    if not running:
        gone += [path for path, _ in _named(study, HALF)]
    for path in gone:
        path.unlink(missing_ok=True)


def _named(study: OpenStudy, names: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    """Yield the files of the folder that are called so, with what their names say."""
    for path in front_folder(study).glob("*"):
        match = names.fullmatch(path.name)
        if match is not None and path.is_file():
            yield path, match


def _level(front: Front | None, row: Evaluation) -> float:
    """Return the estimate at no more than this cost, less what one run may be off by."""
    if front is None or front.noise is None:
        return 0.0
    name = front.cost_name
    within = [one.estimate.accuracy for one in front.rows if one.cost[name] <= row.cost[name]]
    return max(within, default=0.0) - front.noise.sd
