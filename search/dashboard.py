"""Optuna's dashboard, where its extra is installed."""

import ipaddress
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from optuna.artifacts import FileSystemArtifactStore
from optuna.storages import RDBStorage
from sqlalchemy import NullPool

from space import Refusal
from studies import database_of, database_path
from studies.store.backup import back_up
from studies.store.database import open_storage

HOST = "127.0.0.1"  # it has no authentication: another only where one is asked for
OPEN = "warning: the dashboard has no authentication; whoever reaches {host} can read this study"
DELETE = ", and delete it"
INSTALL = "pip install 'attention-search[dashboard]'"


def is_installed() -> bool:
    """Say whether the extra is there."""
    return find_spec("optuna_dashboard") is not None


@contextmanager
def snapshot(url: str, artifacts: Path) -> Iterator[tuple[RDBStorage, Path]]:
    """Yield a copy of the database, which takes no change, and of its pictures, as they are now.

    Raises:
        Refusal: it is a server's, or there is no space for the copy.
    """
    if database_of(url).file is None:
        raise Refusal(
            "--snapshot copies a SQLite file, got a server's database; "
            "leave it out, or name a user who may only read with --storage (docs/storage.md)"
        )
    with tempfile.TemporaryDirectory(prefix="attention-search-") as folder:
        path = Path(folder) / database_path(url).name
        back_up(database_path(url), path)
        pictures = Path(folder) / "pictures"
        if artifacts.is_dir():
            _copy_pictures(artifacts, pictures)
        storage = _read_only(path)
        try:
            yield storage, pictures
        finally:
            storage.engine.dispose()


def _copy_pictures(artifacts: Path, folder: Path) -> None:
    try:
        shutil.copytree(artifacts, folder)
    except (shutil.Error, OSError) as error:  # the first has no words of its own, but many files'
        reason = getattr(error, "strerror", None) or "some of them could not be read or written"
        raise Refusal(f"no copy of the pictures in {artifacts}: {reason}; mend that") from error


def _read_only(path: Path) -> RDBStorage:
    """Open a file that SQLite itself takes no change of; nobody else writes to it."""
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"

    def connected() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, check_same_thread=False)

    return RDBStorage(
        "sqlite:///", {"creator": connected, "poolclass": NullPool}, skip_table_creation=True
    )


class _Pictures(FileSystemArtifactStore):
    """Pictures that can be looked at only: the dashboard removes them before it asks the file."""

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:  # noqa: ARG002 - the store's
        raise Refusal(f"a snapshot takes no picture, got {artifact_id}")

    def remove(self, artifact_id: str) -> None:
        raise Refusal(f"a snapshot keeps its pictures, got {artifact_id}")


def serve(
    study: str | RDBStorage,
    port: int,
    say: Callable[[str], None],
    *,
    artifacts: Path,
    host: str = HOST,
) -> None:
    """Serve the dashboard until Ctrl-C, with the pictures in a folder; to this machine only.

    The study's database is named by its URL, or it is a snapshot's.

    Raises:
        Refusal: the extra is missing, or the host or the port cannot be used.
    """
    if not is_installed():
        raise Refusal(f"the dashboard is an extra that is not installed; {INSTALL}")
    from optuna_dashboard import run_server

    _refuse_taken(host, port)
    if not is_loopback(host):
        say(OPEN.format(host=host) + (DELETE if isinstance(study, str) else ""))
    say(f"http://{host}:{port}/dashboard  (Ctrl-C ends it)")
    kind = FileSystemArtifactStore if isinstance(study, str) else _Pictures
    store = kind(str(artifacts)) if artifacts.is_dir() else None
    if isinstance(study, str) and database_of(study).file is None:
        study = open_storage(study, must_exist=True)
    run_server(study, host=host, port=port, artifact_store=store)


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches what is bound to the host; a name is looked up."""
    found = {one[4][0] for one in socket.getaddrinfo(host, None, socket.AF_INET)}
    return all(ipaddress.ip_address(one).is_loopback for one in found)


def _refuse_taken(host: str, port: int) -> None:
    rule = "--host must be an IPv4 address or a name of this machine"
    if not host:  # a socket would take it for every address
        raise Refusal(f"{rule}, got ''; leave it out for {HOST}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror as error:
            raise Refusal(f"{rule}, got {host}; leave it out for {HOST}") from error
        except OSError as error:
            where = f"--port {port}" if host == HOST else f"--host {host} with --port {port}"
            raise Refusal(f"{where} cannot be used: {error.strerror}; choose another") from error
