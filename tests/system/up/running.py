"""``causeway up`` as a process: all parts on loopback, on a block of ports of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.system.processes import free_ports

PORTS = 8
ROLE_ID = 72057594037927937


def free_block(count: int = PORTS) -> int:
    """The first of ``count`` free ports in a row, which nobody else is given meanwhile."""
    return free_ports(count)


def causeway(*arguments: str | Path, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "causeway.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=environment,
    )


@dataclass
class RunningUp:
    """A running system."""

    home: Path
    port: int
    process: subprocess.Popen[str]
    output: Path

    @property
    def service_url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def authority(self) -> Path:
        return self.home / "authority" / "ca.pem"

    @property
    def device_pair(self) -> tuple[Path, Path]:
        folder = self.home / "devices" / "device-1"
        return folder / "device.pem", folder / "device.key"

    @property
    def site_config(self) -> Path:
        return self.home / "site" / "site.toml"

    def pid_of(self, part: str) -> int:
        """The process of a part, such as ``gateway``."""
        listing = subprocess.run(
            ["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True
        ).stdout
        for line in listing.splitlines()[1:]:
            pid, parent, arguments = line.split(None, 2)
            if int(parent) == self.process.pid and f"causeway.cli {part} run" in arguments:
                return int(pid)
        raise AssertionError(f"no process of the {part}:\n{listing}")

    def edit_site(self, text: str, *, gateway: str = "") -> None:
        """Take ``site.toml`` over, add ``gateway`` to its table and ``text`` behind all, and have it read again."""
        _generated, _, present = self.site_config.read_text().partition("\n")
        assert present.count("\n[gateway]\n") == 1
        self.site_config.write_text(present.replace("\n[gateway]\n", f"\n[gateway]\n{gateway}\n") + text)
        os.kill(self.pid_of("site"), signal.SIGHUP)

    def metrics(self) -> str:
        import httpx

        return httpx.get(f"http://127.0.0.1:{self.port + 2}/metrics", trust_env=False).text

    def wait_for(self, what: str, seen: Any, seconds: float = 30) -> None:
        """Look again and again until ``seen()`` is true."""
        deadline = time.monotonic() + seconds
        while not seen():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, f"{what}\n{self.output.read_text()}"
            time.sleep(0.05)

    def device_lines(self) -> list[dict[str, Any]]:
        result = causeway("site", "devices", "list", "--config", self.site_config, "--json")
        assert result.returncode == 0, result.stderr
        found: list[dict[str, Any]] = json.loads(result.stdout)
        return found


@contextlib.contextmanager
def up(home: Path, *arguments: str) -> Iterator[RunningUp]:
    """Start ``causeway up`` and wait until it has printed its addresses."""
    port = free_block()
    output = home.parent / "up.out"
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "causeway.cli", "up", "--home", str(home), "--port", str(port), *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
        )
    system = RunningUp(home, port, process, output)
    try:
        system.wait_for("it does not come up", lambda: "Try it:" in output.read_text(), seconds=90)
        yield system
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            finally:
                process.kill()
