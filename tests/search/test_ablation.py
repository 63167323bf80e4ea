"""`search explain --ablate` with workers that answer at once."""

import json
from pathlib import Path

import pytest

from search.cli import run_command
from search.confirm import opening
from search.confirm import session as confirm_session
from search.executors import Event, Job
from space import digest
from studies import OpenStudy, read_front
from studies.effects.ablations import ablations
from studies.front import best
from tests.search.scripted import ScriptedExecutor, succeed
from tests.search.test_explain_command import WORTH, fill, study_in
from tests.studies.planted import factorial, planted

JOBS: list[Job] = []


def reply(job: Job) -> list[Event]:
    """Do a job as a worker does."""
    JOBS.append(job)
    return succeed(job)


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenStudy:
    """Return a study of plain three times and each network with SE in the second stage."""
    JOBS.clear()
    monkeypatch.setattr(confirm_session, "LocalExecutor", lambda *_: ScriptedExecutor(reply))
    made = study_in(tmp_path)
    networks = factorial()
    with_se = [one for one in networks if one.stages[1] and not one.stages[2]]
    fill(made, planted([*networks[:1] * 3, *with_se], WORTH, noise=0.003))
    return made


def asked(study: OpenStudy, *words: str) -> list[str]:
    own = ["explain", "--storage", study.url, "--device", "cpu", "--workers", "1"]
    return [*own, *(["--seeds", "2"] if "--ablate" in words else []), *words]


def test_each_change_is_trained_beside_the_member_and_shown_from_then_on(
    study: OpenStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    member = best(read_front(study))
    changes = ablations(member.architecture)
    assert changes
    assert run_command(asked(study, "--ablate", "best")) == 0
    shown = capsys.readouterr().out
    assert "Ablations of" in shown
    assert f"intervals: Bonferroni's for {len(changes)} change" in shown
    assert len(JOBS) == 2 * (1 + len(changes))
    assert {job.seed for job in JOBS} == {JOBS[0].seed, JOBS[-1].seed}
    assert run_command(asked(study, "--format", "json")) == 0
    (found,) = json.loads(capsys.readouterr().out)["ablations"]
    assert found["digest"] == digest(member.architecture)
    assert [one["what"] for one in found["changes"]] == [one.what for one in changes]
    assert all((one["num_runs"], one["num_ablated_runs"]) == (2, 2) for one in found["changes"])
    assert all(one["low"] <= one["cost"] <= one["high"] for one in found["changes"])
    assert run_command(asked(study, "--ablate", "best")) == 0
    assert len(JOBS) == 2 * (1 + len(changes))


def test_ablations_do_not_move_the_front(study: OpenStudy) -> None:
    before = read_front(study)
    assert run_command(asked(study, "--ablate", "best")) == 0
    assert [one.estimate for one in read_front(study).points] == [
        one.estimate for one in before.points
    ]


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--ablate", "front"], "--ablate must pick one network with attention, got front"),
        (
            ["--ablate", "row:1"],
            "--ablate must pick one network with attention, got row:1 (plain)",
        ),
        (["--ablate", "row:99"], "--pick row must be 1 to"),
        (["--ablate", "best", "--seeds", "1"], "--seeds must be 2 to 50"),
        (["--seeds", "2", "--yes"], "--ablate is what --seeds, --yes belong to, got none"),
    ],
)
def test_bad_input_gets_one_line_and_trains_nothing(
    study: OpenStudy, words: list[str], rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(asked(study, *words)) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert rule in lines[0]
    assert not JOBS


def test_over_an_hour_needs_yes(
    study: OpenStudy, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "WITHOUT_YES", 0.0)
    assert run_command(asked(study, "--ablate", "best")) == 2
    assert "need --yes" in capsys.readouterr().err
    assert not JOBS
