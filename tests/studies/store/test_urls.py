"""What `--storage` may name, and that no password is in it."""

from pathlib import Path

import pytest

from space import Refusal
from studies import database_of, database_path

CANARY = "ca9nary"


@pytest.mark.parametrize(
    "url", ["sqlite:///study.db", "sqlite+pysqlite:///study.db", "sqlite:///a@b=c.db"]
)
def test_a_file_is_named_as_it_was_given(url: str) -> None:
    path = Path(url.partition("///")[2])
    assert database_of(url).file == database_path(url) == path
    assert database_of(url).label == str(path)
    assert database_of(url).engine_url == url


def test_files_of_studies_lie_beside_the_databases_file() -> None:
    found = database_of("sqlite:////data/my.study.db")
    assert found.beside("attention.front") == Path("/data/my.study.attention.front")


@pytest.mark.parametrize("name", ["..:5432", "...a", ".hidden", "..."])
def test_a_file_of_dots_has_its_files_beside_it(name: str) -> None:
    found = database_of(f"sqlite:///folder/{name}").beside("front")
    assert found == Path("folder") / f"{name}.front"


@pytest.mark.parametrize(
    ("url", "stem"),
    [
        ("postgresql://ada@db.example/trees", "db.example.trees"),
        ("postgresql://ada@db.example:5432/trees", "db.example.trees"),
        ("postgresql://ada@db.example:5433/trees", "db.example-5433.trees"),
        ("postgresql://db.example/../../etc", "db.example..._.._etc"),
        ("postgresql:///trees", "local.trees"),
        ("postgresql:///trees?host=/run/pg", "_run_pg.trees"),
        ("postgresql:///trees?host=h&port=1", "h-1.trees"),
    ],
)
def test_files_of_a_servers_studies_lie_in_this_folder(url: str, stem: str) -> None:
    assert database_of(url).beside("attention.html") == Path(f"{stem}.attention.html")


def test_a_server_is_reached_by_the_driver_that_is_meant() -> None:
    found = database_of("postgresql://ada@host:5433/trees?sslmode=require")
    assert found.engine_url == "postgresql+psycopg://ada@host:5433/trees?sslmode=require"
    assert found.file is None
    assert found.label == "postgresql://ada@host:5433/trees?sslmode=require"


def test_what_needs_a_file_refuses_a_server() -> None:
    with pytest.raises(Refusal, match="must be a SQLite file for this, got postgresql://h/d"):
        database_path("postgresql://h/d")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ada:{CANARY}@host/trees",
        f"postgresql+psycopg://ada:{CANARY}@host:5433/trees",
        f"postgresql://:{CANARY}@/trees",
        f"postgresql://ada@host/trees?password={CANARY}",
        f"postgresql://ada@host/trees?sslpassword={CANARY}",
        f"mysql://ada:{CANARY}@host/trees",
        f"sqlite://ada:{CANARY}@/study.db",
    ],
)
def test_a_password_is_refused_with_where_it_belongs(url: str) -> None:
    with pytest.raises(Refusal, match=r"PGPASSWORD, or write it to ~/\.pgpass") as caught:
        database_of(url)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql:ada:{CANARY}@host/trees",
        f"postgresql:/ada:{CANARY}@host/trees",
        f"postgres ql://ada:{CANARY}@host/trees",
        f"host=h dbname=trees password={CANARY}",
        f"{CANARY}@host",
        f"mysql://host/trees?pwd={CANARY}",
        f"sqlite:///study.db?key={CANARY}",
        f"postgresql://ada@host:{CANARY}/trees",
        f"postgresql://ada@host/?user={CANARY}",
        f"postgresql:///ada:{CANARY}@host/trees",
        f"postgresql://host/ada:{CANARY}@/trees",
        f"postgresql:///trees?host=\n&password={CANARY}",
        f"sqlite:///study.db?\npassword={CANARY}",
        "postgresql:///trees?host=\udc80",
        "sqlite:///.",
        "sqlite:////",
        "sqlite:///%00",
        "sqlite:///%00/x.db",
        "sqlite:///a/..",
    ],
)
def test_a_refused_url_is_not_repeated_where_it_may_hold_one(url: str) -> None:
    with pytest.raises(Refusal, match="--storage must be postgresql://USER@HOST/NAME") as caught:
        database_of(url)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None  # the library's error repeats it


def test_a_parameter_that_is_not_known_is_refused_by_its_name() -> None:
    with pytest.raises(Refusal, match=r"may end with host, .* only, got options; leave it out"):
        database_of(f"postgresql://ada@host/trees?options={CANARY}")
