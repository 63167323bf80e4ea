"""A made-up study of any size, as real runs store one: Optuna's trials and all our rows.

Random architectures of the real space, three in ten of them trained again. An accuracy is a sum of
what each mechanism is worth in each stage, and noise; the bits of the images add up to it.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, create_trial
from sqlalchemy.orm import Session

from search.config import StudyConfig, config_of
from search.defaults import with_defaults
from search.samplers.catalogue import Catalogue
from space import (
    Architecture,
    assignment,
    baselines,
    cost,
    digest,
    placements_in_words,
    plain,
    plan,
    references,
)
from studies import OpenStudy, create_or_open, read_front, store_front
from studies.store.tables import AttemptRow, EpochRow, EvaluationRow, GatesRow, Table

from .trials import add_in_bulk

BACKBONE, EPOCHS = "resnet20", 6
LEVEL, GAIN = 0.9, 0.004  # accuracy of plain, and how far networks differ
NUM_IMAGES, NUM_OPEN = 5000, 500  # of these it is open whether a training gets them right
REPLICATES = 0.3
CHUNK = 500  # trainings stored at once
MOST = 20_000  # trials of a study
GATE = {"form": "channel", "mean": 0.512345, "spread": 0.0812345, "saturation": 0.0123456}
STATISTICS = {"gain": 0.123456, "gates": {"gate": {**GATE, "histogram": [0.0512345] * 20}}}


@dataclass(frozen=True, slots=True)
class Training:
    """One made-up training; a reference network has no trial."""

    trial: int | None
    proposal: int
    purpose: str
    architecture: Architecture
    correct: bytes
    accuracy: float


def made_up_config(sampler: str = "known-cost") -> StudyConfig:
    """Return the settings of the made-up studies."""
    given = {"dataset": "cifar10", "backbone": BACKBONE, "epochs": EPOCHS, "sampler": sampler}
    return config_of(with_defaults(given, "cpu", "float32"))


def build(folder: Path, sizes: Sequence[int]) -> None:
    """Store a study that grows, and a copy of its database, `SIZE.db`, at each of the sizes."""
    config = made_up_config()
    whole = folder / "growing.db"
    study = create_or_open(f"sqlite:///{whole}", "scale", config.settings())
    made = list(trainings(config, max(sizes)))
    others = len(made) - max(sizes)  # networks outside the total come first
    ends = sorted({*(others + size for size in sizes), *range(CHUNK, len(made), CHUNK)})
    for start, end in pairwise([0, *ends]):
        some = made[start:end]
        add_in_bulk(study, (trial_of(one, config) for one in some if one.trial is not None))
        _store(study, some)
        if end - others in sizes:
            store_front(study, read_front(study))
            _copy(whole, folder / f"{end - others}.db")
    study.engine.dispose()
    for left in folder.glob(f"{whole.name}*"):
        left.unlink()


def _copy(source: Path, target: Path) -> None:
    """Copy a database with what is still in its log."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def trainings(config: StudyConfig, num_trials: int, seed: int = 0) -> Iterator[Training]:
    """Yield the references and the trials, in the order of their proposals.

    More of them begin with the same: a larger study is a smaller one that went on.
    """
    rng, space = np.random.default_rng(seed), config.search_space
    worth = rng.normal(0, 1, (len(space.kinds), len(space.stages)))
    others = [plain(one.name) for one in references(config.backbone)]
    networks = [*others, *_networks(config, num_trials, rng, seed)]
    seen: set[str] = set()
    for proposal, network in enumerate(networks):
        kinds = [(s[0].attention.kind, n) for n, s in enumerate(network.stages) if s]
        gain = sum(float(worth[space.kinds.index(kind), n]) for kind, n in kinds)
        correct = _bits(LEVEL + GAIN * (gain + rng.normal() / 2) / 3**0.5, rng)
        trial = proposal - len(others) if proposal >= len(others) else None
        purpose = "replicate" if digest(network) in seen else "trial"
        seen.add(digest(network))
        accuracy = float(np.mean(correct))
        bits = np.packbits(correct).tobytes()
        yield Training(
            trial, proposal, purpose if trial is not None else "reference", network, bits, accuracy
        )


def _networks(
    config: StudyConfig, num_trials: int, rng: np.random.Generator, seed: int
) -> Iterator[Architecture]:
    """Yield plain three times, the baselines, then random ones and some of those before again."""
    catalogue = Catalogue(config.search_space)
    first = [plain(BACKBONE)] * 3 + list(baselines(config.search_space).values())
    yield from first[:num_trials]
    rows = catalogue.random(MOST, np.random.default_rng(seed + 1))
    tried: list[Architecture] = [*first]
    for row in rows[: max(0, num_trials - len(first))]:
        again = rng.random() < REPLICATES
        network = tried[rng.integers(len(tried))] if again else catalogue.architecture(row)
        if not again:
            tried.append(network)
        yield network


def _bits(accuracy: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which images are right: most always are, some never, the rest by chance."""
    always = round(LEVEL * NUM_IMAGES) - NUM_OPEN // 2
    share = float(np.clip((accuracy * NUM_IMAGES - always) / NUM_OPEN, 0, 1))
    found = np.arange(NUM_IMAGES) < always
    found[-NUM_OPEN:] = rng.random(NUM_OPEN) < share
    return found


def trial_of(one: Training, config: StudyConfig) -> FrozenTrial:
    """Return Optuna's part of a training."""
    drawn, price = assignment(one.architecture, config.search_space), cost(one.architecture)
    choices = config.search_space.parameters()
    return create_trial(
        params=dict(drawn),
        distributions={name: CategoricalDistribution(choices[name]) for name in drawn},
        values=[one.accuracy, float(price.macs)],
        user_attrs={
            "placements": placements_in_words(one.architecture),
            "digest": digest(one.architecture),
            "macs": price.macs,
            "params": price.params,
            "proposal": one.proposal,
            "purpose": one.purpose,
        },
        constraints={"place": 0.0},
    )


def _store(study: OpenStudy, some: Sequence[Training]) -> None:
    """Store all our rows of some trainings in one transaction."""
    with Session(study.engine) as session:
        for one in some:
            session.add_all(_rows(study, one))
        session.commit()


def _rows(study: OpenStudy, one: Training) -> Iterator[Table]:
    number, network = one.proposal + 1, one.architecture
    price, protocol = cost(network), str(study.settings["protocol_digest"])
    yield EvaluationRow(
        id=number,
        study_uid=study.uid,
        trial=one.trial,
        proposal=one.proposal,
        purpose=one.purpose,
        digest=digest(network),
        architecture=network.to_json(),
        seed=number,
        protocol_digest=protocol,
        macs=price.macs,
        params=price.params,
        state="complete",
        attempt=1,
        accuracy=one.accuracy,
        correct=one.correct,
        seconds=300.0,
        images_per_second=1000.0,
        finished_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=300 * number),
    )
    seconds = dict.fromkeys(("waiting", "start_up", "training", "validation", "closing"), 1.0)
    yield AttemptRow(
        evaluation_id=number,
        attempt=1,
        batch_size=128,
        learning_rate=0.2,
        ending="complete",
        **{f"{name}_seconds": value for name, value in seconds.items()},
    )
    yield from _epochs(number, one.accuracy)
    for place, slot in enumerate(plan(network)):
        yield GatesRow(
            evaluation_id=number,
            module=f"stage{slot.stage}.block{slot.block}.{slot.position}.{place}",
            gain=0.123456,
            statistics=json.dumps(STATISTICS),
        )


def _epochs(number: int, accuracy: float) -> Iterator[EpochRow]:
    for epoch in range(1, EPOCHS + 1):
        reached = accuracy * (1 - 0.5**epoch)
        yield EpochRow(
            evaluation_id=number,
            attempt=1,
            epoch=epoch,
            train_loss=2.0 / epoch,
            validation_loss=2.0 / epoch,
            accuracy=reached,
            seconds=50.0,
        )
