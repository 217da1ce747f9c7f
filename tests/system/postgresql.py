"""A real PostgreSQL from Debian's packages: its own cluster in a folder of its own, owned by an ordinary user."""

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

_BINARIES = Path("/usr/lib/postgresql")
_OWNER = "causeway"


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A running cluster, reached by a socket in ``folder`` with the password in ``password_file``."""

    folder: Path
    password_file: Path

    def new_database(self) -> str:
        """Make an empty database and return its URL, without a password."""
        name = f"site_{secrets.token_hex(6)}"
        password = self.password_file.read_text().strip()
        with psycopg.connect(
            host=str(self.folder), user=_OWNER, dbname="postgres", password=password, autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{_OWNER}@/{name}?host={self.folder}"


def _user() -> tuple[str | None, int, int]:
    """Who runs the server: it refuses to run as root."""
    if os.geteuid() != 0:
        return None, os.geteuid(), os.getegid()
    entry = pwd.getpwnam("nobody")
    return "nobody", entry.pw_uid, entry.pw_gid


@contextlib.contextmanager
def running() -> Iterator[PostgreSQL]:
    """A cluster for as long as the block lasts."""
    binaries = max(_BINARIES.glob("*/bin"), key=lambda path: float(path.parent.name))
    user, uid, gid = _user()
    # A socket's path has at most 107 bytes, which a test's own folder would exceed.
    folder = Path(tempfile.mkdtemp(prefix="causeway-pg-", dir="/tmp"))
    password_file = folder / "password"
    password_file.write_text(secrets.token_urlsafe(20) + "\n")
    for path in (folder, password_file):
        os.chown(path, uid, gid)
    data, log = folder / "data", folder / "log"

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [binaries / program, *arguments], user=user, check=True, capture_output=True, cwd=folder, timeout=60
        )

    call(
        "initdb",
        "--auth=scram-sha-256",
        f"--username={_OWNER}",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
        "--locale=C",
        str(data),
    )
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=50"
    try:
        call("pg_ctl", "-D", str(data), "-l", str(log), "-o", options, "-w", "start")
        yield PostgreSQL(folder, password_file)
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            call("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
