"""What `--storage` names: a SQLite file, or a database of a PostgreSQL server. No password ever.

A command is seen by everybody on its machine and is stored with the study; what libpq reads by
itself (PGPASSWORD, ~/.pgpass) is not.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from space import Refusal

from .links import real_path

SQLITE = ("sqlite", "sqlite+pysqlite")
POSTGRESQL = ("postgresql", "postgresql+psycopg")
RULE = "--storage must be postgresql://USER@HOST/NAME or sqlite:///FILE"
NO_PASSWORD = (
    "--storage must not hold a password, since commands are seen by others and stored; "
    "leave it out and set PGPASSWORD, or write it to ~/.pgpass"
)
# The words of libpq that a URL may end with: none of them is a secret, none changes a result.
PARAMETERS = (
    *("host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"),
    *("passfile", "target_session_attrs"),
)


@dataclass(frozen=True, slots=True)
class Database:
    """Where studies are kept."""

    url: str
    file: Path | None  # None of a server
    stem: Path  # what the files of its studies are named after

    @property
    def label(self) -> str:
        """Return how messages name it."""
        return self.url if self.file is None else str(self.file)

    @property
    def engine_url(self) -> str:
        """Return the URL with the driver that is meant, whatever SQLAlchemy's default is."""
        return self.url if self.file is not None else _with_driver(self.url)

    def beside(self, ending: str) -> Path:
        """Return a file or folder of its studies: beside its own file; a server's in this folder.

        Two servers' are told apart by their names.
        """
        return self.stem.with_name(f"{self.stem.name}.{ending}")


def database_of(url: str) -> Database:
    """Return what the URL names.

    Raises:
        Refusal: it is no URL of a SQLite file or a PostgreSQL database, it holds a password, or
            the file is behind a link that leads back to itself.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise Refusal(f"{RULE}, got {_shown(url)}") from None  # the error repeats the URL
    if parsed.password is not None or any("password" in name for name in parsed.query):
        raise Refusal(NO_PASSWORD)
    query = url.partition("?")[2]  # read to the first line's end only: nothing may follow
    if parsed.drivername in SQLITE and query.isprintable():
        return _file(url, parsed)
    has_name = parsed.database and "@" not in parsed.database
    if parsed.drivername in POSTGRESQL and has_name and url.isprintable():
        return _of_server(url, parsed)
    raise Refusal(f"{RULE}, got {_shown(url)}")


def database_path(url: str) -> Path:
    """Return the SQLite file that the URL names.

    Raises:
        Refusal: the URL names none.
    """
    file = database_of(url).file
    if file is None:
        raise Refusal(f"--storage must be a SQLite file for this, got {url}")
    return file


def _file(url: str, parsed: URL) -> Database:
    is_plain = not (parsed.query or parsed.host or parsed.username)
    path = Path(parsed.database or "")
    is_file = path.name not in ("", "..") and "\0" not in str(path)
    if not is_plain or not is_file or parsed.database == ":memory:":
        raise Refusal(f"{RULE}, got {_shown(url)}")
    real_path(path, "--storage")
    return Database(url, path, path.with_name(path.stem if path.stem.strip(".") else path.name))


def _of_server(url: str, parsed: URL) -> Database:
    for name in parsed.query:
        if name not in PARAMETERS:
            raise Refusal(
                f"--storage may end with {', '.join(PARAMETERS)} only, got {name}; leave it out"
            )
    host = parsed.host or parsed.normalized_query.get("host", ("local",))[0]
    port = parsed.port or parsed.normalized_query.get("port", ("5432",))[0]
    name = (
        f"{host}-{port}.{parsed.database}" if str(port) != "5432" else f"{host}.{parsed.database}"
    )
    return Database(url, None, Path(re.sub(r"[^\w.-]", "_", name)))


def _with_driver(url: str) -> str:
    return make_url(url).set(drivername=POSTGRESQL[1]).render_as_string()


def _shown(url: str) -> str:
    """Return the URL, or its beginning if a password could be in it."""
    if not re.search(r"[@?=]", url):
        return url
    scheme, colon, _ = url.partition(":")
    return f"{scheme}:..." if colon and scheme.replace("+", "").isalnum() else "..."
