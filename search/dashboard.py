"""Optuna's dashboard, where its extra is installed."""

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
from studies import database_path

HOST = "127.0.0.1"  # it has no authentication: never any other
INSTALL = "pip install 'attention-search[dashboard]'"


def is_installed() -> bool:
    """Say whether the extra is there."""
    return find_spec("optuna_dashboard") is not None


@contextmanager
def snapshot(url: str, artifacts: Path) -> Iterator[tuple[str, Path]]:
    """Yield a copy of the database and of its pictures, as they are now.

    What is deleted there, pictures too, stays here.
    """
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


def serve(url: str, port: int, say: Callable[[str], None], *, artifacts: Path) -> None:
    """Serve the dashboard on this machine only, until Ctrl-C, with the pictures in a folder.

    Raises:
        Refusal: the extra is missing, or the port is taken.
    """
    if not is_installed():
        raise Refusal(f"the dashboard is an extra that is not installed; {INSTALL}")
    from optuna_dashboard import run_server

    _refuse_taken(port)
    say(f"http://{HOST}:{port}/dashboard  (Ctrl-C ends it)")
    store = FileSystemArtifactStore(str(artifacts)) if artifacts.is_dir() else None
    run_server(url, host=HOST, port=port, artifact_store=store)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Refusal(f"--port {port} cannot be used: {error.strerror}; choose one") from error
