"""Real trainings that a surrogate is fitted to, as gains over plain in their own protocol.

Levels of two protocols may not be compared, gains over plain may. `resnet8_study.csv` holds those
of a study of the whole space: 10,000 images, 6 epochs (docs/measured/study_resnet8.json).
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import optuna

from space import Architecture, Refusal, digest
from studies import completed, evaluations, open_existing
from studies.store.database import open_storage

from ..grid.grid import Grid

STUDY_FILE = Path(__file__).parent / "resnet8_study.csv"
COLUMNS = ("accuracy", "architecture")
Run = tuple[Architecture, float]  # an accuracy, 0 to 1


@dataclass(frozen=True, slots=True)
class Trained:
    """An architecture with its mean gain over plain; an accuracy, 0 to 1."""

    source: str
    architecture: Architecture
    gain: float


def of_grid(grid: Grid) -> list[Trained]:
    """Return the networks of the grid."""
    return trained(
        "grid", [(one.architecture, r.accuracy) for one in grid.entries for r in one.runs]
    )


def trained(source: str, runs: Iterable[Run]) -> list[Trained]:
    """Return the networks of some runs of one protocol.

    Raises:
        Refusal: plain is not among them.
    """
    networks: dict[str, Architecture] = {}
    accuracies: dict[str, list[float]] = {}
    for architecture, accuracy in runs:
        key = digest(architecture)
        networks.setdefault(key, architecture)
        accuracies.setdefault(key, []).append(accuracy)
    plain = next((key for key, one in networks.items() if one.is_plain), None)
    if plain is None:
        raise Refusal(f"the {source} must hold plain, got {len(networks)} others: train it there")
    level = fmean(accuracies[plain])
    return [
        Trained(source, networks[key], fmean(some) - level) for key, some in accuracies.items()
    ]


def runs_of_study(url: str, backbone: str) -> list[Run]:
    """Return the runs of the one study in a database, reference networks left out.

    Raises:
        Refusal: there is none or several, or it is of another backbone.
    """
    names = optuna.get_all_study_names(open_storage(url, must_exist=True))
    if len(names) != 1:
        raise Refusal(
            f"{url} must hold one study, got {', '.join(sorted(names)) or 'none'}: copy one out"
        )
    study = open_existing(url, names[0])
    done = completed(evaluations(study))
    study.engine.dispose()
    if study.settings["backbone"] != backbone:
        raise Refusal(f"the study must be of {backbone}, got {study.settings['backbone']}")
    return [(one.architecture, one.accuracy) for one in done if one.accuracy is not None]


def stored_runs(path: Path = STUDY_FILE) -> list[Run]:
    """Return the runs of a file."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [(Architecture.from_json(row["architecture"]), float(row["accuracy"])) for row in rows]


def store_runs(runs: Sequence[Run], path: Path = STUDY_FILE) -> None:
    """Write runs into a file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((f"{accuracy:.5g}", one.to_json()) for one, accuracy in runs)
