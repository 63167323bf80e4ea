"""What reports and cards say of confirmations: every opening, every look, nothing half done."""

from pathlib import Path

import pytest

from search.cli import run_command
from search.reported import reported
from studies import open_existing, read_front
from studies.report import ReportFacts
from studies.report.confirmed_part import confirmed_section
from studies.report.provenance import provenance
from tests.search.confirm.faked import ASK, FAILS, FEW, Reader, as_json

EXPORT = ["export", "--storage", "sqlite:///study.db", "--pick", "best", "--out", "out"]


def facts() -> ReportFacts:
    study = open_existing("sqlite:///study.db", "attention")
    return reported(read_front(study), study)


def test_the_report_counts_every_opening_and_shows_what_was_begun(reader: Reader) -> None:
    assert facts().openings.in_words() == "not read"
    reader.stop_after = 3
    assert run_command(ASK) == 130
    found = facts()
    assert found.openings.in_words() == (
        "4 openings of 4 models (1 without a result), by the ledger"
    )
    assert ("test images", found.openings.in_words()) in provenance(found).tables[1].rows
    assert found.confirmations == ()
    (line,) = found.unfinished
    assert line.startswith("A confirmation was begun and is not finished: models read: 3 of ")
    assert line in confirmed_section(found).lead


def test_a_card_tells_nothing_of_a_confirmation_before_its_end(reader: Reader) -> None:
    reader.stop_after = 9
    assert run_command([*ASK, "--top", "4"]) == 130
    assert run_command(EXPORT) == 0
    card = Path("out/MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Not confirmed: a confirmation was begun and is not finished" in card
    assert "test accuracy" not in card
    reader.stop_after = 10**9
    assert run_command([*ASK, "--top", "4"]) == 0
    assert run_command(EXPORT) == 0
    card = Path("out/MODEL_CARD.md").read_text(encoding="utf-8")
    assert "test accuracy" in card
    assert "not finished" not in card


@pytest.mark.usefixtures("reader")
def test_a_fresh_training_that_failed_hides_no_reading() -> None:
    FAILS.append(lambda job: not job.with_validation)
    assert run_command(ASK) == 1
    found = facts()
    assert found.openings.num_without_result == 0
    assert found.openings.number > 0
    assert len(found.confirmations) == 1
    assert found.unfinished == ()


@pytest.mark.slow
@pytest.mark.usefixtures("reader")
def test_looking_again_with_more_seeds_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(ASK) == 0
    assert "look 2" not in capsys.readouterr().out
    assert run_command([*FEW, "--seeds", "3"]) == 0
    line = "look 2 at these models; the intervals hold for one look"
    assert line in capsys.readouterr().out.splitlines()
    assert [line in one.lines for one in facts().confirmations] == [False, True]
    looks = []
    for seeds in ("2", "3"):
        assert run_command([*FEW, "--seeds", seeds, "--format", "json"]) == 0
        looks.append(as_json(capsys)["look"])
    assert looks == [1, 2]
