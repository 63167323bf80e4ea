"""`search baselines` with workers that answer at once."""

import json
from math import sqrt
from pathlib import Path

import pytest
from scipy.special import stdtrit

from search.baselines import TUTORIALS, Row, compared
from search.baselines_table import closing, half_width
from search.cli import run_command
from search.confirm import session as confirm_session
from search.executors import Event, Failed, Job
from space import Architecture, Refusal, SearchSpace, digest, plain, write_architecture
from space import baselines as usual
from studies import open_existing
from studies.confirmation.comparison import Interval
from studies.confirmation.ledger import LedgerEntry, is_recorded, readings
from studies.store.sessions import sessions
from tests.search.fake_trainer import fake_accuracy
from tests.search.scripted import ScriptedExecutor, succeed

SPACE = SearchSpace(backbone="resnet8")
ASK = ["baselines", "--dataset", "cifar10-sample", "--backbone", "resnet8", "--epochs", "2"]
ASK += ["--train-images", "200", "--device", "cpu", "--workers", "1", "--seeds", "2"]
JOBS: list[Job] = []


def reply(job: Job) -> list[Event]:
    """Do a job as a worker does, its weights included."""
    JOBS.append(job)
    if job.keep is not None:
        job.keep.weights.write_text(f"weights of seed {job.seed}")
    return succeed(job)


@pytest.fixture
def _workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from search.training import testing

    def read(architecture: Architecture, weights: Path, entry: LedgerEntry) -> tuple[float, bytes]:
        assert is_recorded(entry)
        seed = int(weights.read_text().split()[-1])
        return fake_accuracy(digest(architecture), seed) - 0.5, b"\xff"

    JOBS.clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(confirm_session, "LocalExecutor", lambda *_: ScriptedExecutor(reply))
    monkeypatch.setattr(testing, "reader", lambda *_: read)


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, list[dict[str, object]]]:
    assert run_command([*ASK, "--format", "json", *words]) == 0
    found: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.usefixtures("_workers")
def test_plain_and_the_tutorials_six_are_trained_once(capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys)
    assert [row["name"] for row in found["rows"]] == ["plain", *TUTORIALS]
    assert len(JOBS) == 7 * 2
    for row in found["rows"]:
        accuracies = row["accuracies"]
        assert isinstance(accuracies, list)
        assert len(accuracies) == 2
        assert all(0.9 <= one <= 0.93 for one in accuracies)
        assert row["epoch_seconds"] == 0.25  # half a second for two epochs
    assert asked(capsys) == found
    assert len(JOBS) == 7 * 2


@pytest.mark.usefixtures("_workers")
def test_more_seeds_and_other_kinds_train_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked(capsys, "--kinds", "se")
    assert len(JOBS) == 4
    asked(capsys, "--kinds", "se,eca", "--seeds", "3")
    assert len(JOBS) == 9
    assert len({(job.architecture, job.seed) for job in JOBS}) == 9


@pytest.mark.usefixtures("_workers")
def test_the_test_images_are_read_once_after_training_on_the_validation_images_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked(capsys, "--kinds", "se")
    assert not any(job.with_validation for job in JOBS)
    found = asked(capsys, "--kinds", "se", "--confirm")
    assert [job.with_validation for job in JOBS] == [False] * 4 + [True] * 4
    for row in found["rows"]:
        accuracies = row["accuracies"]
        assert isinstance(accuracies, list)
        assert all(0.4 <= one <= 0.43 for one in accuracies)
    assert asked(capsys, "--kinds", "se", "--confirm") == found
    study = open_existing("sqlite:///baselines.db", "baselines")
    assert len(readings(study)) == 4
    assert [one.surroundings.device for one in sessions(study)] == ["cpu"] * 2


@pytest.mark.usefixtures("_workers")
def test_the_table_has_costs_intervals_and_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([*ASK, "--kinds", "se"]) == 0
    shown = capsys.readouterr().out
    for part in ("75.3 k", "se r16 in stages 1, 2, 3", "validation, %", "s/epoch", "verdict: "):
        assert part in shown


@pytest.mark.usefixtures("_workers")
def test_the_tutorials_recipe_is_adam_without_augmentation() -> None:
    assert run_command([*ASK, "--kinds", "se", "--recipe", "tutorial"]) == 0
    protocol = JOBS[0].protocol
    assert (protocol.recipe, protocol.batch_size, protocol.learning_rate) == (
        "tutorial",
        128,
        1e-3,
    )
    assert (protocol.crop_padding, protocol.label_smoothing, protocol.weight_decay) == (0, 0, 0)
    assert run_command([*ASK, "--kinds", "se"]) == 0  # goes on with the stored recipe
    assert run_command([*ASK, "--kinds", "se", "--recipe", "study"]) == 2


@pytest.mark.usefixtures("_workers")
def test_what_failed_is_said_and_ends_with_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(job: Job) -> list[Event]:
        if Architecture.from_json(job.architecture).is_plain:
            return succeed(job)
        return [Failed(job.id, job.attempt, "out of memory")]

    monkeypatch.setattr(confirm_session, "LocalExecutor", lambda *_: ScriptedExecutor(fail))
    assert run_command([*ASK, "--kinds", "se"]) == 1
    shown = capsys.readouterr().out
    assert "se: 2 trainings failed" in shown
    assert "verdict: nothing can be said" in shown


def test_a_file_joins_by_its_name_and_not_twice(tmp_path: Path) -> None:
    file, other = tmp_path / "own.yaml", tmp_path / "again.yaml"
    eca = usual(SPACE)["eca"]
    write_architecture(eca, file)
    write_architecture(eca, other)
    found = compared(SPACE, ["se"], [file])
    assert list(found) == ["plain", "se", "own"]
    assert (found["plain"], found["own"]) == (plain("resnet8"), eca)
    with pytest.raises(Refusal, match="--file must each name another network"):
        compared(SPACE, ["eca"], [file])
    with pytest.raises(Refusal, match="--file must each name another network"):
        compared(SPACE, ["se"], [file, other])
    with pytest.raises(Refusal, match="--file must be of resnet20"):
        compared(SearchSpace(backbone="resnet20"), ["se"], [file])
    write_architecture(eca.model_copy(update={"num_classes": 100}), other)
    with pytest.raises(Refusal, match=r"--file must have 10 classes, got .* with 100"):
        compared(SPACE, ["se"], [other])


def test_a_mechanism_that_the_studys_space_lacks_is_refused() -> None:
    small = SearchSpace(backbone="resnet8", kinds=("se",))
    with pytest.raises(Refusal, match=r"--kinds must be mechanisms of .* \(se\), got gam"):
        compared(small, ["se", "gam"], [])


def test_only_what_was_compared_is_counted_in_the_intervals() -> None:
    kinds = usual(SPACE)
    known = Row("se", kinds["se"], (0.7, 0.71), Interval(0.01, -0.01, 0.03), 1.0)
    diverged = Row("gam", kinds["gam"], (0.7,), None, 1.0, num_failed=2)
    lines = closing([Row("plain", plain("resnet8"), (0.7, 0.69), None, 1.0), known, diverged])
    assert "Dunnett's intervals of 1 comparison with plain" in lines[0]
    assert "gam: 2 trainings failed" in lines


def test_the_interval_of_a_mean_by_hand() -> None:
    """0.50, 0.52, 0.54: a deviation of 0.02, t of 2 degrees of freedom."""
    wanted = float(stdtrit(2, 0.975)) * 0.02 / sqrt(3)
    assert half_width([0.50, 0.52, 0.54]) == pytest.approx(wanted)
    assert half_width([0.5]) == float("inf")


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--seeds", "0"], "--seeds must be 1 to 50, got 0"),
        (["--recipe", "mine"], "--recipe must be study or tutorial, got mine"),
        (["--format", "csv"], "--format must be one of table, json, got csv"),
        (["--kinds", "none"], "--kinds must be among"),
        (["--file", "none.yaml"], "none.yaml"),
    ],
)
@pytest.mark.usefixtures("_workers")
def test_bad_input_gets_one_line(
    words: list[str], rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*ASK, *words]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert rule in lines[0]
    assert not JOBS
    assert not Path("baselines.db").exists()
