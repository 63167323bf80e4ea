"""What is special to a PostgreSQL server: its lock, its users, its ends."""

import socket
import sys
from datetime import UTC, datetime, timedelta, timezone

import optuna
import pytest
from sqlalchemy import Engine, create_engine, event, insert, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from search.config import StudyConfig
from space import Cost, Refusal, plain
from studies import (
    OpenStudy,
    add_proposal,
    create_or_open,
    database_of,
    evaluations,
    only_driver,
    open_existing,
    refuse_replaced,
    storage_problem,
)
from studies.store import server as server_module
from studies.store.locks import keep_locks, key_of
from studies.store.tables import LedgerRow
from tests.postgres import END_OTHERS, Server

ON_A_SERVER = pytest.mark.parametrize(
    "url", [pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)


def stranger(url: str) -> Engine:
    """Return an engine that is nothing but SQLAlchemy's."""
    return create_engine(database_of(url).engine_url)


def end_sessions(url: str) -> None:
    """End every session of the database, as a restart does."""
    engine = stranger(url)
    with engine.connect() as connection:
        connection.execute(text(END_OTHERS))
    engine.dispose()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "RESTART_SECONDS", 0.0)


def test_without_its_driver_a_server_is_refused_with_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Refusal, match=r"pip install 'attention-search\[postgresql\]'"):
        open_existing("postgresql://ada@localhost/trees", "attention")
    with (
        pytest.raises(Refusal, match="postgresql:// needs an extra"),
        only_driver("postgresql://ada@localhost/trees", "attention"),
    ):
        pass


def test_where_no_server_answers_the_line_says_so_at_once() -> None:
    pytest.importorskip("psycopg", reason="pip install 'attention-search[postgresql]'")
    with socket.socket() as bound:  # and nobody listens
        bound.bind(("127.0.0.1", 0))
        url = f"postgresql://ada@127.0.0.1:{bound.getsockname()[1]}/trees"
        with pytest.raises(OperationalError) as caught:
            open_existing(url, "attention")
    assert storage_problem(caught.value).startswith("no server answers there; check --storage")


@ON_A_SERVER
def test_a_wrong_password_is_one_line_without_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "wrong-canary")
    with pytest.raises(OperationalError) as caught:
        open_existing(url, "attention")
    assert "set PGPASSWORD or write it to ~/.pgpass" in storage_problem(caught.value)
    assert "canary" not in str(caught.value)
    monkeypatch.delenv("PGPASSWORD")
    with pytest.raises(OperationalError) as caught:
        open_existing(url, "attention")
    assert "the server wants a password; set PGPASSWORD" in storage_problem(caught.value)


def test_moments_are_the_same_instant_in_both(study: OpenStudy) -> None:
    noon = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    row = {"study_uid": study.uid, "dataset": "d", "digest": "x", "seed": 1, "reason": "r"}
    with study.engine.begin() as connection:
        connection.execute(insert(LedgerRow).values(number=7, opened_at=noon, **row))
    with study.engine.connect() as connection:
        found = connection.execute(select(LedgerRow.opened_at)).scalar_one()
    assert found == datetime(2026, 3, 1, 10, 0, 0, 5, tzinfo=UTC)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_moments_of_files_made_before_are_read_as_utc(study: OpenStudy) -> None:
    """Without a zone in the text, as SQLite has kept them from the first version on."""
    with study.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO attention_test_ledger "
                "VALUES (1, 'u', 'd', 'x', 1, 'r', '2026-03-01 10:00:00.000005')"
            )
        )
        found = connection.execute(select(LedgerRow.opened_at)).scalar_one()
    assert found == datetime(2026, 3, 1, 10, 0, 0, 5, tzinfo=UTC)


def test_costs_beyond_31_bits_are_kept(study: OpenStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    dear = Cost(2**40, 2**33)
    monkeypatch.setattr("studies.store.evaluations.cost", lambda _: dear)
    seed = 2**31 - 1
    add_proposal(study, plain("resnet8"), trial=0, proposal=0, purpose="trial", seed=seed)
    (found,) = evaluations(study)
    assert (found.cost, found.seed) == (dear, seed)


@ON_A_SERVER
def test_a_study_that_was_deleted_on_the_server_is_not_gone_on_with(study: OpenStudy) -> None:
    refuse_replaced(study)
    optuna.delete_study(study_name=study.name, storage=study.optuna._storage)
    with pytest.raises(Refusal, match="was deleted or replaced while the study ran"):
        refuse_replaced(study)
    create_or_open(study.url, study.name, study.settings)  # another of its name and number
    with pytest.raises(Refusal, match="was deleted or replaced while the study ran"):
        refuse_replaced(study)


@ON_A_SERVER
def test_a_lock_that_a_restart_has_freed_is_taken_again(url: str) -> None:
    with only_driver(url, "attention"):
        end_sessions(url)
        keep_locks(url)
        with pytest.raises(Refusal, match="already being run"), only_driver(url, "attention"):
            pass
    with only_driver(url, "attention"):
        pass


@ON_A_SERVER
def test_a_driver_whose_lock_another_has_taken_writes_nothing_more(
    study: OpenStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.store.locks.RETAKE_SECONDS", 1)
    with only_driver(study.url, study.name):
        end_sessions(study.url)
        other = stranger(study.url)
        with other.connect() as thief:
            thief.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key_of(study.name)})
            with pytest.raises(Refusal, match="already being run"):
                add_proposal(study, plain("resnet8"), trial=0, proposal=0, purpose="trial", seed=1)
        other.dispose()
    assert evaluations(study) == ()


@ON_A_SERVER
def test_a_connection_that_breaks_within_a_transaction_stores_nothing_and_is_one_line(
    study: OpenStudy,
) -> None:
    def end(_: object) -> None:
        end_sessions(study.url)

    event.listen(study.engine, "commit", end)
    with pytest.raises(DBAPIError) as caught:
        add_proposal(study, plain("resnet8"), trial=0, proposal=0, purpose="trial", seed=1)
    event.remove(study.engine, "commit", end)
    assert storage_problem(caught.value) == (
        "the connection to the database broke within a step; the same command goes on"
    )
    assert evaluations(study) == ()


@ON_A_SERVER
def test_a_server_that_stays_away_is_one_line(
    study: OpenStudy, server: Server, impatient: None
) -> None:
    del impatient
    evaluations(study)
    server.stop()
    try:
        with pytest.raises(DBAPIError) as caught:
            evaluations(study)
    finally:
        server.start()
    assert storage_problem(caught.value).startswith("no server answers there")
    assert evaluations(study) == ()


@ON_A_SERVER
def test_a_user_who_may_only_read_reads_and_is_refused_to_write(
    study: OpenStudy, server: Server, small_config: StudyConfig
) -> None:
    name = study.url.rpartition("/")[2]
    with study.engine.begin() as connection:
        for one in (
            "DROP ROLE IF EXISTS grace",
            "CREATE ROLE grace LOGIN PASSWORD 'canary-of-the-tests'",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO grace",
        ):
            connection.execute(text(one))
    read = open_existing(f"postgresql://grace@127.0.0.1:{server.port}/{name}", "attention")
    assert read.settings == small_config.settings()
    assert evaluations(read) == ()
    with pytest.raises(DBAPIError) as caught:
        add_proposal(read, plain("resnet8"), trial=0, proposal=0, purpose="trial", seed=1)
    assert storage_problem(caught.value).startswith("the server's user may not do that")
    with study.engine.begin() as connection:
        connection.execute(text("DROP OWNED BY grace"))
        connection.execute(text("DROP ROLE grace"))
