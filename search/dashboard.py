"""Optuna's dashboard, where its extra is installed."""

import ipaddress
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

from optuna.artifacts import FileSystemArtifactStore

from space import Refusal
from studies import database_of, database_path
from studies.store.database import open_storage

HOST = "127.0.0.1"  # it has no authentication: another only where one is asked for
OPEN = (
    "warning: the dashboard has no authentication; whoever reaches {host} can read this study, "
    "and delete it"
)
INSTALL = "pip install 'attention-search[dashboard]'"


def is_installed() -> bool:
    """Say whether the extra is there."""
    return find_spec("optuna_dashboard") is not None


@contextmanager
def snapshot(url: str, artifacts: Path) -> Iterator[tuple[str, Path]]:
    """Yield a copy of the database and of its pictures, as they are now.

    What is deleted there, pictures too, stays here.

    Raises:
        Refusal: it is a server's.
    """
    if database_of(url).file is None:
        raise Refusal(
            "--snapshot copies a SQLite file, got a server's database; "
            "leave it out, or name a user who may only read with --storage (docs/storage.md)"
        )
    with tempfile.TemporaryDirectory(prefix="attention-search-") as folder:
        path = Path(folder) / database_path(url).name
        with (
            closing(sqlite3.connect(database_path(url))) as own,
            closing(sqlite3.connect(path)) as copy,
        ):
            own.backup(copy)
        pictures = Path(folder) / "pictures"
        if artifacts.is_dir():
            shutil.copytree(artifacts, pictures)
        yield f"sqlite:///{path}", pictures


def serve(
    url: str, port: int, say: Callable[[str], None], *, artifacts: Path, host: str = HOST
) -> None:
    """Serve the dashboard until Ctrl-C, with the pictures in a folder; to this machine only.

    Raises:
        Refusal: the extra is missing, or the host or the port cannot be used.
    """
    if not is_installed():
        raise Refusal(f"the dashboard is an extra that is not installed; {INSTALL}")
    from optuna_dashboard import run_server

    _refuse_taken(host, port)
    if not is_loopback(host):
        say(OPEN.format(host=host))
    say(f"http://{host}:{port}/dashboard  (Ctrl-C ends it)")
    store = FileSystemArtifactStore(str(artifacts)) if artifacts.is_dir() else None
    storage = url if database_of(url).file else open_storage(url, must_exist=True)
    run_server(storage, host=host, port=port, artifact_store=store)


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
