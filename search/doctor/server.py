"""A PostgreSQL server: does it answer, do we know its tables, and who runs its studies?"""

from collections.abc import Iterator

from sqlalchemy import Connection, NullPool, create_engine, text

from space import Refusal
from studies import STORAGE_ERRORS, database_of, storage_problem
from studies.store.locks import key_of
from studies.store.server import CONNECT_ARGS, INSTALL, refuse_without_driver
from studies.store.upgrade import refuse_newer, table_versions

from .finding import Finding

AREA = "database"
# An advisory lock's 64 bits are shown as two numbers.
LOCKED = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND (classid::bigint << 32) | objid::bigint = :key"
)
COUNTS = text(
    "SELECT count(*) FILTER (WHERE state = 'complete'), "
    "count(*) FILTER (WHERE state IN ('proposed', 'running')) "
    "FROM attention_evaluations e JOIN attention_studies s USING (study_uid) WHERE s.name = :name"
)


def server_findings(url: str) -> list[Finding]:
    """Return what there is to say of a server's database."""
    found = database_of(url)
    try:
        refuse_without_driver()
    except Refusal:
        return [Finding(AREA, "problem", f"{found.label} needs a driver", INSTALL)]
    engine = create_engine(found.engine_url, poolclass=NullPool, connect_args=CONNECT_ARGS)
    try:
        with engine.connect() as connection:
            version = connection.exec_driver_sql("SHOW server_version").scalar_one()
            versions = table_versions(engine)
            refuse_newer(versions)
            answered = Finding(AREA, "ok", f"{found.label} answers: PostgreSQL {version}")
            return [answered, *_studies(connection, [name for _, name in versions], url)]
    except Refusal as error:
        return [Finding(AREA, "problem", str(error), "update this program")]
    except STORAGE_ERRORS as error:
        what, _, remedy = storage_problem(error).partition("; ")
        remedy = remedy or "look at the server's log"
        return [Finding(AREA, "problem", f"{found.label}: {what}", remedy)]


def _studies(connection: Connection, names: list[str], url: str) -> Iterator[Finding]:
    """Yield how far each study is, and whether somebody runs it or has to go on with it."""
    if not names:
        yield Finding(AREA, "ok", "no study in it yet; search run makes one")
    for name in names:
        complete, left = connection.execute(COUNTS, {"name": name}).one()
        is_run = connection.execute(LOCKED, {"key": key_of(name)}).scalar_one() > 0
        what = f"study {name}: {complete} complete, {left} unfinished"
        if left and not is_run:
            remedy = f"search run --storage {url} --study '{name}' goes on with them"
            yield Finding(AREA, "warning", f"{what}, and nobody runs it", remedy)
        else:
            yield Finding(AREA, "ok", f"{what}, {'somebody' if is_run else 'nobody'} runs it")
