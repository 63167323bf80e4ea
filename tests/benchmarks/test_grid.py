"""Which networks the grid holds, how its trainings are kept, and how it goes on."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.grid import make
from benchmarks.grid.facts import effects
from benchmarks.grid.grid import load
from benchmarks.grid.make import Found, Wanted, trained, wanted_of
from benchmarks.grid.rows import GridFiles, store, stored, stored_bits
from benchmarks.grid.sessions import add_session, protocol_of
from benchmarks.grid.subspace import OPTIONS, architectures, num_options
from search.config import Protocol, StudyConfig
from space import Architecture, Refusal, SearchSpace, baselines, cost, digest, placements_in_words
from studies import Epoch, Outcome
from tests.benchmarks.synthetic_grid import synthetic_grid

CURVE = (Epoch(1, 1.5, 1.25, 0.5, 2.0), Epoch(2, 1.0, 1.125, 0.625, 3.0))
BITS = b"\xf0\x01"


@pytest.fixture
def files(tmp_path: Path) -> GridFiles:
    return GridFiles("resnet8", tmp_path)


def outcome_of(architecture: Architecture, *, unaveraged: float | None = None) -> Outcome:
    price = cost(architecture)
    return Outcome(0.625, BITS, price.macs, price.params, 5.0, 80.0, unaveraged=unaveraged)


def keep(files: GridFiles, name: str, seed: int) -> None:
    store(files, name, seed, CURVE, outcome_of(architectures("resnet8")[name]))


def test_the_grid_has_every_combination_of_six_options_once() -> None:
    named = architectures("resnet8")
    assert len(named) == len({digest(one) for one in named.values()}) == 6**3


def test_a_smaller_grid_comes_first_in_a_larger_one() -> None:
    names = list(architectures("resnet8"))
    for count in range(1, len(OPTIONS) + 1):
        smaller = architectures("resnet8", count)
        assert list(smaller) == names[: count**3]
        assert {num_options(name) for name in smaller} <= set(range(1, count + 1))


@pytest.mark.parametrize("kind", ["se", "cbam"])
def test_a_gate_everywhere_is_the_baseline_of_a_study(kind: str) -> None:
    usual = baselines(SearchSpace(backbone="resnet8"))[kind]
    assert digest(architectures("resnet8")["/".join([kind] * 3)]) == digest(usual)


def test_the_first_stage_has_forms_that_its_large_map_allows() -> None:
    named = architectures("resnet8")
    words = {name: placements_in_words(one) for name, one in named.items()}
    assert words["dual/none/none"] == "dual channel flipped behind stage 1"
    assert words["non_local/none/none"] == "non_local embedded r2 sub behind stage 1"
    assert words["none/gam/none"] == "gam factorised r4 k7 in stage 2"


def test_every_seed_of_a_smaller_grid_is_trained_before_a_larger_grid() -> None:
    wanted = wanted_of("resnet8", 3, 2)
    assert len(wanted) == 2 * 27
    assert [(one.name, one.seed) for one in wanted[:4]] == [
        ("none/none/none", 0),
        ("none/none/none", 1),
        ("none/none/se", 0),
        ("none/se/none", 0),
    ]
    assert {one.name for one in wanted[: 2 * 8]} == set(architectures("resnet8", 2))


def test_a_training_is_read_as_it_was_stored(files: GridFiles) -> None:
    architecture = architectures("resnet8")["none/se/gam"]
    store(files, "none/se/gam", 2, CURVE, outcome_of(architecture, unaveraged=0.5))
    (entry,) = load(files).entries
    (run,) = entry.runs
    assert (entry.name, entry.architecture, entry.cost) == (
        "none/se/gam",
        architecture,
        cost(architecture),
    )
    assert (run.seed, run.accuracy, run.unaveraged, run.seconds) == (2, 0.625, 0.5, 5.0)
    assert (run.curve, run.correct) == (CURVE, BITS)


def test_an_epoch_takes_what_it_takes_in_the_quickest_training(files: GridFiles) -> None:
    architecture = architectures("resnet8")["se/se/se"]
    for seed, seconds in enumerate((9.0, 5.0, 30.0)):
        outcome = replace(outcome_of(architecture), seconds=seconds)
        store(files, "se/se/se", seed, CURVE, outcome)
    assert load(files).named["se/se/se"].epoch_seconds == 2.5  # of 2 epochs


@pytest.mark.parametrize("num_lost", [1, 5])  # bytes: the line's end, more
@pytest.mark.parametrize("name", ["rows", "bits"])
def test_a_line_that_was_cut_short_is_trained_again_and_spoils_no_other(
    files: GridFiles, name: str, num_lost: int
) -> None:
    keep(files, "none/none/none", 0)
    keep(files, "none/none/se", 0)
    if name == "bits":  # a crash within the bits comes before the line
        files.rows.write_bytes(files.rows.read_bytes().splitlines(keepends=True)[0])
    path: Path = getattr(files, name)
    path.write_bytes(path.read_bytes()[:-num_lost])
    assert ("none/none/se", 0) not in stored(files)
    keep(files, "none/none/se", 0)
    assert ("none/none/se", 0) in stored(files)
    assert stored_bits(files)["none/none/se", 0] == BITS


def test_a_grid_is_whole_only_with_every_seed_of_every_network(files: GridFiles) -> None:
    wanted = [(one.name, one.seed) for one in wanted_of("resnet8", 2, 3)]
    for name, seed in wanted[:-1]:
        keep(files, name, seed)
    assert load(files).complete(2) is None
    assert load(files).largest() is None
    keep(files, *wanted[-1])
    keep(files, "none/none/gam", 0)
    whole = load(files).largest()
    assert whole is not None
    assert (len(whole.entries), whole.options) == (8, ("none", "se"))


def test_a_line_of_another_network_is_refused(files: GridFiles) -> None:
    other = architectures("resnet8")["se/se/se"]
    store(files, "none/none/none", 0, CURVE, outcome_of(other))
    with pytest.raises(Refusal, match="none/none/none in the grid must cost"):
        load(files)


def test_a_protocol_is_taken_once_and_then_stays(
    files: GridFiles, small_config: StudyConfig, tmp_path: Path
) -> None:
    given, protocol = tmp_path / "given.json", small_config.protocol
    with pytest.raises(Refusal, match="must hold the protocol"):
        protocol_of(files, None)
    given.write_text(protocol.model_dump_json())
    assert protocol_of(files, given) == protocol
    add_session(files, protocol, "cpu")
    assert protocol_of(files, None) == protocol_of(files, given) == protocol
    given.write_text(protocol.model_copy(update={"epochs": 7}).model_dump_json())
    with pytest.raises(Refusal, match="another protocol"):
        protocol_of(files, given)


def test_a_file_that_is_no_protocol_is_refused_in_one_line(
    files: GridFiles, tmp_path: Path
) -> None:
    given = tmp_path / "given.json"
    given.write_text('{"dataset": "cifar10", "epochs": 0}')
    with pytest.raises(Refusal, match=r"given\.json: ") as refused:
        protocol_of(files, given)
    assert "\n" not in str(refused.value)


def test_only_what_is_missing_is_trained_and_what_failed_is_named(
    files: GridFiles, small_config: StudyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []

    def done_here(
        _: Callable[[Wanted], Found], tasks: Sequence[Wanted], **__: object
    ) -> list[tuple[Wanted, Found]]:
        asked.extend((one.name, one.seed) for one in tasks)
        found = [Found(CURVE, outcome_of(one.architecture)) for one in tasks]
        return list(zip(tasks, [*found[:-1], Found(reason="no number")], strict=True))

    monkeypatch.setattr(make, "in_processes", done_here)
    keep(files, "none/none/none", 0)
    options = make.parsed(["--options", "2", "--seeds", "1", "--processes", "1"])
    failed = make.train_missing(files, options, small_config.protocol)
    assert len(asked) == 7
    assert ("none/none/none", 0) not in asked
    assert failed == ["se/se/se, seed 0: no number"]
    assert len(stored(files)) == 7


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_training_of_the_grid_is_the_products_own(small_config: StudyConfig) -> None:
    changed = {"train_images": 40, "batch_size": 20}
    protocol = Protocol.model_validate({**small_config.protocol.model_dump(), **changed})
    wanted = wanted_of("resnet8", 1, 1)[0]
    found = trained(wanted, protocol=protocol, device="cpu", data_dir=None)
    assert found.outcome is not None
    assert (found.outcome.macs, found.outcome.params) == (12_239_488, 75_290)
    assert [one.epoch for one in found.curve] == [1, 2]
    assert found.curve[-1].accuracy == found.outcome.accuracy


def test_options_that_make_no_sense_end_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make.main(["--folder", str(tmp_path)]) == 2
    assert "must hold the protocol" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        make.parsed(["--options", "7"])
    assert isinstance(make.parsed([]), Namespace)


def test_the_effects_of_a_whole_grid_are_those_it_was_made_of() -> None:
    """In the made-up grid every option is worth the same in every stage, and effects add up."""
    found = effects(synthetic_grid(3, noise=0.0))
    assert list(found) == ["se", "gam"]
    for option, gain in (("se", 0.4), ("gam", 1.0)):
        for mean, error in found[option]:
            assert mean == pytest.approx(gain)
            assert error == pytest.approx(0, abs=1e-9)
