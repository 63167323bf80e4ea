"""`search confirm` as it is typed, with a trainer and a reader without torch."""

from pathlib import Path

import pytest

from search.cli import run_command
from search.commands import confirm
from search.confirm import choice, opening
from search.confirm import session as confirm_session
from search.extra_trainings import Task
from search.surroundings import surroundings
from space import plain
from studies import evaluations, only_driver, open_existing
from studies.confirmation.ledger import readings
from studies.confirmation.stored import confirmations, known_trainings
from studies.store.extras import Wanted, known_extras
from studies.store.sessions import begin_session, end_session
from tests.search.confirm.faked import ASK, FAILS, FEW, Reader, as_json, has_attention

OWN_RATIOS = confirm._ratios


def test_a_confirmation_says_what_it_takes_trains_reads_and_concludes(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(ASK) == 0
    shown = capsys.readouterr().out
    for part in (
        "1 finalist and",
        "2 seeds each and 6 of plain",
        "shows a true gain over plain of",
        "with 80 % power",
        "forecast: ",
        "deeper plain",
        "resnet14",
        "intervals: Dunnett's",
        "optimism: the study claimed",
        "test images read once for each model",
        "verdict: ",
    ):
        assert part in shown
    study = open_existing("sqlite:///study.db", "attention")
    (plan,) = confirmations(study)
    found = known_trainings(study, plan)
    assert all(one.state == "complete" for one in (*found.confirm, *found.fresh))
    assert reader.count == len(readings(study)) == len(found.confirm)
    assert sum(one.counts for one in evaluations(study)) == 12  # confirmations are none of them


def test_asked_again_it_shows_the_result_and_trains_and_reads_nothing(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*ASK, "--format", "json"]) == 0
    first, count = as_json(capsys), reader.count
    FAILS.append(has_attention)
    with only_driver("sqlite:///study.db", "attention"):  # the study may even be running
        assert run_command([*ASK, "--format", "json"]) == 0
    assert as_json(capsys) == first
    assert reader.count == count


def test_reading_anew_is_counted(reader: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(ASK) == 0
    models = reader.count
    assert run_command([*ASK, "--again"]) == 0
    assert reader.count == 2 * models
    assert "test images read twice for each model" in capsys.readouterr().out


def test_one_that_is_cut_short_goes_on_and_reads_no_model_twice(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    reader.stop_after = 3
    assert run_command(ASK) == 130
    assert "ended at once; the same command goes on" in capsys.readouterr().out
    reader.stop_after = 10**9
    assert run_command([*ASK, "--format", "json"]) == 0
    found = as_json(capsys)
    study = open_existing("sqlite:///study.db", "attention")
    assert len({one.extra_id for one in readings(study)}) == len(readings(study)) == reader.count
    assert [one.number for one in readings(study)] == list(range(1, reader.count + 1))
    assert found["num_readings"] == 1


def test_while_trainings_are_missing_no_test_image_is_read(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    FAILS.append(has_attention)
    assert run_command(ASK) == 1
    shown = capsys.readouterr().out
    assert "trainings failed" in shown
    assert "the test images stay closed: " in shown
    assert "nothing can be said" in shown
    assert reader.count == 0
    FAILS.clear()
    assert run_command(ASK) == 0
    shown = capsys.readouterr().out
    assert "forecast: " in shown
    assert "trainings failed" not in shown


@pytest.mark.usefixtures("reader")
def test_over_an_hour_needs_yes_and_writes_nothing_without(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "WITHOUT_YES", 0.0)
    assert run_command(ASK) == 2
    assert "need --yes" in capsys.readouterr().err
    study = open_existing("sqlite:///study.db", "attention")
    assert confirmations(study) == ()
    assert not Path("study.attention.confirm").exists()
    assert run_command([*ASK, "--yes"]) == 0


@pytest.mark.usefixtures("reader")
def test_the_points_to_resolve_choose_the_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    """The fake's noise is 0.12 points: a gain of 0.5 needs few seeds."""
    assert run_command([*FEW, "--resolve", "0.5", "--format", "json"]) == 0
    found = as_json(capsys)
    arms = found["arms"]
    assert isinstance(arms, list)
    assert 2 <= len(arms[1]["seeds"]) <= 5
    assert len(arms[0]["seeds"]) == 3 * len(arms[1]["seeds"])
    assert run_command([*FEW, "--resolve", "0.000001"]) == 2
    assert "--resolve must be at least" in capsys.readouterr().err


def test_reading_anew_goes_on_where_it_was_cut_short(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(ASK) == 0
    models = reader.count
    reader.stop_after = models + 2
    assert run_command([*ASK, "--again"]) == 130
    reader.stop_after = 10**9
    assert run_command([*ASK, "--again"]) == 0
    assert reader.count == 2 * models
    assert "test images read twice for each model" in capsys.readouterr().out


def test_fewer_seeds_of_a_finished_confirmation_show_their_part(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from search.training import latency

    monkeypatch.setattr(confirm, "_ratios", OWN_RATIOS)
    monkeypatch.setattr(latency, "latency_ratios", lambda networks, _: [1.0] * len(networks))
    assert run_command([*ASK, "--seeds", "3"]) == 0
    count = reader.count
    capsys.readouterr()
    assert run_command([*ASK, "--format", "json"]) == 0
    arms = as_json(capsys)["arms"]
    assert isinstance(arms, list)
    assert [len(one["accuracies"]) for one in arms] == [6] + [2] * (len(arms) - 1)
    assert reader.count == count


@pytest.mark.usefixtures("reader")
def test_a_result_keeps_what_was_claimed_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_command([*ASK, "--format", "json"]) == 0
    first = as_json(capsys)
    claim = choice._claim
    monkeypatch.setattr(
        choice, "_claim", lambda point: claim(point).model_copy(update={"gain": 0.5})
    )
    assert run_command([*ASK, "--format", "json"]) == 0
    assert as_json(capsys) == first


def test_weights_that_are_gone_before_a_reading_are_trained_anew(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    reader.stop_after = 0
    assert run_command(ASK) == 130
    gone = next(Path("study.attention.confirm").iterdir())
    gone.unlink()
    reader.stop_after = 10**9
    assert run_command(ASK) == 1
    assert "the weights of 1 models are gone; the same command" in capsys.readouterr().out
    assert run_command(ASK) == 0
    assert gone.is_file()


@pytest.mark.usefixtures("reader")
def test_a_speed_of_another_device_forecasts_nothing() -> None:
    study = open_existing("sqlite:///study.db", "attention")
    bench = confirm_session.bench_of(study, "cpu", 1, None)
    tasks = [
        Task(one, bench.config.protocol)
        for one in known_extras(study, [Wanted("fresh", plain("resnet8"), 1, "a")])
    ]
    assert opening.forecast(bench, tasks) is not None
    number = begin_session(study, surroundings("cuda", "8 x Fast", 8))
    end_session(study, number, "total")
    assert opening.forecast(bench, tasks) is None


@pytest.mark.usefixtures("reader")
def test_weights_that_are_gone_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(ASK) == 0
    next(Path("study.attention.confirm").iterdir()).unlink()
    capsys.readouterr()
    assert run_command([*ASK, "--again"]) == 2
    assert "the weights of a model that is read anew must lie at" in capsys.readouterr().err
    assert run_command(ASK) == 0  # what was read is known


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--top", "0"], "--top must be 1 to 20, got 0"),
        (["--resolve", "1"], "--resolve chooses the seeds, got --seeds 2 too"),
        (["--seeds", "1"], "--seeds must be 2 to 50, since an interval needs two, got 1"),
        (["--resolve", "0"], "--resolve must be points above 0"),
        (["--format", "csv"], "--format must be one of table, json, got csv"),
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--train-images", "5"], "--train-images must be 1010 to 4000"),
        (["--workers", "0"], "--workers must be auto or 1 to 256"),
        (["--study", "other"], "no study other"),
        (["--storage", "sqlite:///none.db"], "no study database"),
    ],
)
def test_bad_input_gets_one_line(
    reader: Reader, words: list[str], rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*ASK, *words]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert rule in lines[0]
    assert reader.count == 0
