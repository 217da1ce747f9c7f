"""A real PostgreSQL from Debian's packages: its own cluster in a folder of its own, owned by an ordinary user."""

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

_BINARIES = Path("/usr/lib/postgresql")
_OWNER = "causeway"


class PostgreSQL:
    """A cluster, reached by a socket in ``folder`` with the password in ``password_file``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.password_file = folder / "password"
        self._binaries = max(_BINARIES.glob("*/bin"), key=lambda path: float(path.parent.name))
        self._user, uid, gid = _user()
        self.password_file.write_text(secrets.token_urlsafe(20) + "\n")
        for path in (folder, self.password_file):
            os.chown(path, uid, gid)
        self._call(
            "initdb",
            "--auth=scram-sha-256",
            f"--username={_OWNER}",
            f"--pwfile={self.password_file}",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            str(folder / "data"),
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        # Nothing here outlives the machine, so nothing waits for its disk; commits are safe from any process's end.
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c max_connections=50 -c fsync=off"
        self._call("pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop it at once."""
        self._call("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")

    def new_database(self) -> str:
        """Make an empty database and return its URL, without a password."""
        name = f"site_{secrets.token_hex(6)}"
        password = self.password_file.read_text().strip()
        with psycopg.connect(
            host=str(self.folder), user=_OWNER, dbname="postgres", password=password, autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{_OWNER}@/{name}?host={self.folder}"

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, *arguments],
            user=self._user,
            check=True,
            cwd=self.folder,
            timeout=60,
            # A server that is started keeps what it inherits; a pipe would never end.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _user() -> tuple[str | None, int, int]:
    """Who runs the server: it refuses to run as root."""
    if os.geteuid() != 0:
        return None, os.geteuid(), os.getegid()
    entry = pwd.getpwnam("nobody")
    return "nobody", entry.pw_uid, entry.pw_gid


@contextlib.contextmanager
def running() -> Iterator[PostgreSQL]:
    """A cluster for as long as the block lasts."""
    # A socket's path has at most 107 bytes, which a test's own folder would exceed.
    folder = Path(tempfile.mkdtemp(prefix="causeway-pg-", dir="/tmp"))
    try:
        cluster = PostgreSQL(folder)
        cluster.start()
        try:
            yield cluster
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
