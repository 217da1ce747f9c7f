"""A site as a process of its own, with a database, an authority and certificates."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import unittest.mock
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from causeway.cli.main import main
from causeway.pki.authority import Authority
from causeway.pki.keys import new_rsa_key
from causeway.pki.roles import Role
from causeway.site.setup import SitePaths, prepare
from tests.system.processes import free_ports, wait_until

SERVICE_NAME = "gateway.example.com"
ROLE_ID = 72057594037927937


@dataclass
class RunningSite:
    """A site's folder and, while it runs, its process."""

    paths: SitePaths
    authority: Authority
    port: int
    admin_port: int
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.paths.folder / "log"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    def start(self) -> None:
        program = [sys.executable, "-c", "import sys; from causeway.cli.site.app import app; sys.exit(app())"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*program, "run", "--config", str(self.paths.config)],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONWARNINGS": "error"},
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                return requests.get(f"{self.admin}/readyz", timeout=10).status_code == 200
            return False

        wait_until(ready, timeout=60, what=f"readiness of {self.log}")

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=60)
        self.process = None

    def clean_up(self) -> None:
        """End it, whatever state it is in."""
        if self.process is not None:
            self.kill()

    def reload(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def configure(self, table: str, **values: Any) -> None:
        """Set keys of the configuration file; it is the operator's own from then on."""
        lines = [line for line in self.paths.config.read_text().splitlines() if not line.startswith("# Kept in step")]
        header = f"[{table}]"
        if header not in lines:
            lines += ["", header]
        start = lines.index(header) + 1
        end = next((n for n in range(start, len(lines)) if lines[n].startswith("[")), len(lines))
        table_lines = [line for line in lines[start:end] if line.partition(" = ")[0] not in values]
        table_lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()] + table_lines
        lines[start:end] = table_lines
        self.paths.config.write_text("\n".join(lines) + "\n")

    def append(self, text: str) -> None:
        """Add a table at the end of the configuration file."""
        self.configure("site")
        with self.paths.config.open("a") as file:
            file.write(f"\n{text}\n")

    def cli(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run ``causeway site …`` on this site: ``run`` as a process of its own, the others in this one, for speed."""
        if arguments[0] != "run":
            return self.causeway("site", *arguments, check=check)
        program = (
            "import sys; from causeway.cli.main import main; import causeway.cli.site.app; "
            "sys.argv[0] = 'causeway'; main()"
        )
        group, *rest = arguments
        return subprocess.run(
            [sys.executable, "-c", program, "site", group, *rest, "--config", str(self.paths.config)],
            check=check,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def causeway(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command of any group on this site, in this process, for speed."""
        stdout, stderr = io.StringIO(), io.StringIO()
        command = ["causeway", *arguments, "--config", str(self.paths.config)]
        code: int | str | None = 0
        with (
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
            unittest.mock.patch("sys.argv", command),
        ):
            try:
                main()
            except SystemExit as end:
                code = end.code
        result = subprocess.CompletedProcess(command, int(code or 0), stdout.getvalue(), stderr.getvalue())
        if check:
            result.check_returncode()
        return result

    def certificate(self, name: str, role: Role = Role.DEVICE) -> tuple[Path, Path]:
        """A client certificate of the site's authority, and its key."""
        certificate, key = self.paths.folder / f"{name}.pem", self.paths.folder / f"{name}.key"
        if not certificate.exists():
            self.authority.issue_client(name, new_rsa_key(), role).write(certificate, key)
        return certificate, key

    def metric(self, name: str, **labels: str) -> float:
        """The value of a metric; 0 where it has not been counted yet."""
        wanted = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
        line_start = f"{name}{{{wanted}}} " if wanted else f"{name} "
        for line in requests.get(f"{self.admin}/metrics", timeout=30).text.splitlines():
            if line.startswith(line_start):
                return float(line.rpartition(" ")[2])
        return 0.0

    def refusals(self) -> list[dict[str, Any]]:
        """The refusals in the log."""
        events = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [event for event in events if event["event"] == "refused"]


@contextlib.contextmanager
def running(site: RunningSite) -> Iterator[RunningSite]:
    """The site's process for as long as the block lasts."""
    try:
        site.start()
        yield site
    finally:
        site.clean_up()


def lay_out(folder: Path, database: dict[str, str]) -> RunningSite:
    """A site in a new folder, not started."""
    authority = Authority.create(folder / "ca", "Test authority")
    port = free_ports(2)
    admin_port = port + 1
    paths = prepare(
        folder / "site",
        authority,
        site_code="PS1",
        names=["127.0.0.1"],
        address="127.0.0.1",
        port=port,
        admin_port=admin_port,
        service_name=SERVICE_NAME,
    )
    site = RunningSite(paths, authority, port, admin_port)
    if database:
        site.configure("database", **database)
    return site
