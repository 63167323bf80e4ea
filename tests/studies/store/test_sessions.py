from sqlalchemy import text

from studies import OpenStudy
from studies.store.sessions import Surroundings, begin_session, end_session, sessions, versions

HERE = Surroundings(
    command="search run",
    device="cpu",
    hardware="a processor",
    num_cores=4,
    num_workers=2,
    system="Linux",
    versions={"python": "3.11"},
)


def test_a_session_is_kept_with_its_end(study: OpenStudy) -> None:
    number = begin_session(study, HERE)
    (running,) = sessions(study)
    assert (running.surroundings, running.ended_at, running.ending) == (HERE, None, None)
    end_session(study, number, "total")
    (ended,) = sessions(study)
    assert ended.ending == "total"
    assert ended.ended_at
    assert ended.ended_at >= ended.started_at


def test_a_session_that_was_killed_stays_without_an_end(study: OpenStudy) -> None:
    begin_session(study, HERE)
    end_session(study, begin_session(study, HERE), "time")
    assert [one.ending for one in sessions(study)] == [None, "time"]


def test_an_older_study_has_none_and_may_begin_some(study: OpenStudy) -> None:
    with study.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS attention_sessions"))
    assert sessions(study) == ()
    begin_session(study, HERE)
    assert len(sessions(study)) == 1


def test_versions_name_what_trains_and_keeps_a_study() -> None:
    assert {"python", "torch", "optuna", "numpy"} <= set(versions())
