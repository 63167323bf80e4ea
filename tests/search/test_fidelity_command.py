"""`search fidelity` on studies written by hand: what it shows, and what it refuses."""

import json
from pathlib import Path
from random import Random

import pytest

from search.cli import run_command
from search.config import StudyConfig, config_of
from space import Architecture, cost, random_architecture
from studies import Epoch, OpenStudy, Outcome, add_epoch, add_proposal, complete, create_or_open

EPOCHS = 3


@pytest.fixture
def written(tmp_path: Path, small_config: StudyConfig) -> OpenStudy:
    settings = {**small_config.settings(), "epochs": EPOCHS}
    config = config_of(settings)
    return create_or_open(f"sqlite:///{tmp_path}/study.db", "attention", config.settings())


def add(study: OpenStudy, architecture: Architecture, accuracy: float, number: int) -> None:
    """Store a full training whose first epoch shows the opposite of its end."""
    row = add_proposal(
        study, architecture, trial=number, proposal=number, purpose="trial", seed=number
    )
    for epoch, shown in enumerate((1 - accuracy, accuracy, accuracy), start=1):
        add_epoch(study, row.id, 1, Epoch(epoch, 1 - accuracy, 1 - shown, shown, 1.0))
    price = cost(architecture)
    complete(study, row.id, 1, Outcome(accuracy, b"\xf0", price.macs, price.params, 3.0, 100.0))


def fill(study: OpenStudy, num_networks: int) -> None:
    """Store two trainings of each network; both seeds order them alike."""
    generator, space = Random(0), config_of(dict(study.settings)).search_space
    for place in range(num_networks):
        architecture = random_architecture(generator, space)
        for seed in range(2):
            add(study, architecture, 0.3 + 0.02 * place + 0.001 * seed, 2 * place + seed)


def test_the_table_shows_every_epoch_and_the_retest(
    written: OpenStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(written, 8)
    assert run_command(["fidelity", "--storage", written.url]) == 0
    shown = capsys.readouterr().out
    for part in ("all networks", "the better half", "validation loss", "n = 8 networks, 2 train"):
        assert part in shown
    lines = [line.split() for line in shown.splitlines() if "(" in line and "│" in line]
    assert len(lines) == 2 * (EPOCHS + 1)
    assert lines[0][3] == "-1.00"  # the first epoch's accuracy ranks the wrong way round
    assert lines[1][3] == "1.00"


def test_json_holds_every_tau(written: OpenStudy, capsys: pytest.CaptureFixture[str]) -> None:
    fill(written, 9)
    assert run_command(["fidelity", "--storage", written.url, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["num_architectures"] == 9
    assert found["retest"]["everyone"]["tau"] == pytest.approx(1)
    assert len(found["rungs"]) == 3 * EPOCHS


def test_too_few_networks_trained_twice_are_refused(
    written: OpenStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(written, 7)
    assert run_command(["fidelity", "--storage", written.url]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "at least 8 networks trained twice to their end, got 7; " in line


def test_another_format_is_refused(written: OpenStudy, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["fidelity", "--storage", written.url, "--format", "csv"]) == 2
    assert "--format must be one of table, json, got csv" in capsys.readouterr().err
