"""What the doctor says of a PostgreSQL server."""

import sys
from pathlib import Path

import pytest

from search.config import StudyConfig
from search.doctor.database import database_findings
from space import plain
from studies import add_proposal, create_or_open, only_driver
from tests.postgres import Server


def said(url: str) -> list[tuple[str, str]]:
    return [(one.state, one.what) for one in database_findings(url)]


@pytest.mark.slow
def test_a_server_and_its_studies_are_described(
    server_url: str, small_config: StudyConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answered, none = said(server_url)
    assert answered[0] == "ok"
    assert "answers: PostgreSQL 1" in answered[1]
    assert none == ("ok", "no study in it yet; search run makes one")
    study = create_or_open(server_url, "tried", small_config.settings())
    add_proposal(study, plain("resnet8"), trial=None, proposal=0, purpose="trial", seed=1)
    _, (state, what) = said(server_url)
    assert (state, what) == (
        "warning",
        "study tried: 0 complete, 1 unfinished, and nobody runs it",
    )
    with only_driver(server_url, "tried"):
        _, (state, what) = said(server_url)
    assert (state, what) == ("ok", "study tried: 0 complete, 1 unfinished, somebody runs it")


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_a_problem(server: Server) -> None:
    nowhere = server.url().replace(f":{server.port}/", ":1/")
    ((state, what),) = said(nowhere)
    assert state == "problem"
    assert "no server answers there" in what


def test_a_server_without_its_driver_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    (found,) = database_findings("postgresql://ada@127.0.0.1:1/none")
    assert (found.state, found.remedy) == (
        "problem",
        "pip install 'attention-search[postgresql]'",
    )
