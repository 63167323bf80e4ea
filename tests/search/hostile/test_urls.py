"""Database URLs as nobody should type them: taken as meant or refused, and no secret shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from space import Refusal
from studies.store.urls import PARAMETERS, Database, database_of
from tests.search.hostile.judged import judge
from tests.search.hostile.lines import STORAGES, STRANGE_VALUES, TEXTS

SECRET = "hunter2word"
SCHEMES = ["postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgres", "sqlite"]
SCHEMES += ["sqlite+pysqlite", "sqlite+nothing", "mysql", "redis", "http", "POSTGRESQL", "", "1"]
SEPARATORS = ["://", "://", "://", ":///", ":", "//", ":/", "::"]
USERS = ["", "", "u@", "@", f"u:{SECRET}@", f":{SECRET}@", f"a%40b:{SECRET}@", f"u:{SECRET}@h@"]
HOSTS = ["", "h", "localhost", "db.example", "[::1]", "[::1", "127.0.0.1", "..", "a b", "h,h"]
PORTS = ["", "", ":5432", ":1", ":0", ":-1", ":99999", ":x", ":", ":" + "9" * 400]
NAMES = ["/trees", "", "/", "/a/b", "/../../x", "/.", "/%2e%2e%2f", "/:memory:", "/%00"]
WORDS = [*PARAMETERS, "options", "service", "dbname", "", "mode"]
SECRET_WORDS = ["password", "sslpassword", "PASSWORD", "passw%6frd", "oauth_client_password"]
USUAL = ["require", "5432", "/tmp", "x", "", "%zz", "a=b", "a&b"]
QUERIES = st.one_of(
    st.tuples(st.sampled_from(WORDS), st.sampled_from([*USUAL, *STRANGE_VALUES])),
    st.tuples(st.sampled_from(SECRET_WORDS), st.just(SECRET)),
)


@st.composite
def urls(draw: st.DrawFn) -> str:
    """Draw a URL from good parts and bad ones; now and then something else."""
    if draw(st.integers(0, 9)) == 9:
        return draw(st.one_of(TEXTS, st.sampled_from(STORAGES)))
    parts = (SCHEMES, SEPARATORS, USERS, HOSTS, PORTS, NAMES)
    made = "".join(draw(st.sampled_from(part)) for part in parts)
    found = draw(st.lists(QUERIES, max_size=3))
    return made + ("?" + "&".join(f"{name}={value}" for name, value in found) if found else "")


def taken(url: str) -> Database | None:
    """Return what it names, or None of one that is refused in a line without the secret."""
    try:
        return database_of(url)
    except Refusal as refusal:
        said = str(refusal)
    assert said
    assert SECRET not in said
    return None


@given(url=urls())
def test_a_url_is_refused_or_holds_no_secret_and_names_files_in_one_folder(url: str) -> None:
    found = taken(url)
    if found is None:
        return
    if found.file is not None:
        assert found.file == Path(make_url(url).database or "")
        assert found.beside("front").parent == found.stem.parent
        return
    assert SECRET not in found.url
    assert SECRET not in found.engine_url
    parsed = make_url(found.engine_url)
    assert parsed.drivername == "postgresql+psycopg"
    assert set(parsed.query) <= set(PARAMETERS)
    assert found.beside("front").parent == Path()
    assert "/" not in found.beside("front").name


@given(url=urls())
def test_a_command_refuses_it_in_one_line_or_reads_the_file(url: str, template: Path) -> None:
    if SECRET in url or (found := taken(url)) is None or found.file is not None:
        heard = judge(["status", f"--storage={url}"], template)
        if ":///" not in url:  # there it is the name of a file
            assert SECRET not in heard.out + heard.err


@pytest.mark.parametrize("word", ["password", "sslpassword", "passw%6frd"])
def test_a_secret_among_the_parameters_is_refused_unseen(word: str) -> None:
    assert taken(f"postgresql://h/d?{word}={SECRET}") is None
