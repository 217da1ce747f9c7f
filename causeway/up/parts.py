"""The parts as processes: started in order, watched, stopped in order."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from causeway.errors import OperatorError
from causeway.observability.admin import listen
from causeway.up.home import Home

_READY_TIMEOUT_S = 60.0
_POLL_S = 0.1
_STOP_TIMEOUT_S = 40.0
_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Part:
    """One process."""

    name: str
    arguments: Sequence[str]
    log: Path
    admin_port: int
    process: subprocess.Popen[bytes] | None = None
    _log_start: int = 0

    def start(self) -> None:
        """Start it; it ends with us, however we end."""
        parent = os.getpid()
        with self.log.open("ab") as output:
            self._log_start = output.tell()
            self.process = subprocess.Popen(  # noqa: S603  # our own program
                [sys.executable, "-m", "causeway.cli", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is ours to pass on, in order
                preexec_fn=lambda: _end_with_parent(parent),  # noqa: PLW1509  # before there are threads
            )

    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def last_words(self) -> str:
        """Why it ended: the line of its error, or the last one."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return (errors or lines or ["it said nothing"])[-1]

    async def ready(self) -> None:
        """Wait until its ``/readyz`` says so.

        Raises:
            OperatorError: it ended, or was not ready in time; the message is its own.
        """
        reasons = "it does not answer"
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
            for _ in range(int(_READY_TIMEOUT_S / _POLL_S)):
                if self.ended():
                    raise OperatorError(f"the {self.name} ended: {self.last_words()}")
                with contextlib.suppress(httpx.HTTPError, ValueError):
                    response = await client.get(f"http://127.0.0.1:{self.admin_port}/readyz")
                    if response.status_code == httpx.codes.OK:
                        return
                    reasons = ", ".join(response.json().get("reasons", [])) or response.reason_phrase
                await asyncio.sleep(_POLL_S)
        raise OperatorError(f"the {self.name} is not ready after {_READY_TIMEOUT_S:.0f} s: {reasons}; see {self.log}")

    def ask_to_stop(self) -> None:
        """SIGTERM: drain."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    async def stopped(self) -> None:
        """Wait for its end; kill it where it does not come."""
        if self.process is None:
            return
        try:
            await asyncio.to_thread(self.process.wait, _STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)


def _end_with_parent(parent: int) -> None:
    """Have the kernel send SIGTERM when the parent is gone, so that nothing is left behind after a ``kill -9``."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


class Parts:
    """Site, gateway and connection point."""

    def __init__(self, home: Home) -> None:
        self._home = home
        ports, logs = home.ports, home.logs
        site_config, gateway_config, point_config = home.site.config, home.gateway_config, home.connection_point_config
        self.site = Part("site", ["site", "run", "-c", str(site_config)], logs / "site.log", ports.site_admin)
        self.gateway = Part(
            "gateway", ["gateway", "run", "-c", str(gateway_config)], logs / "gateway.log", ports.gateway_admin
        )
        self.connection_point = Part(
            "connection point",
            ["connection-point", "run", "-c", str(point_config)],
            logs / "connection-point.log",
            ports.connection_point_admin,
        )

    @property
    def all(self) -> tuple[Part, ...]:
        """In the order in which requests reach them."""
        return (self.gateway, self.connection_point, self.site)

    def check_ports(self) -> None:
        """Say that a port is busy before anything starts: another system might answer there as if it were ours.

        Raises:
            OperatorError: one is busy.
        """
        ports = self._home.ports
        for port in range(ports.service, ports.last + 1):
            try:
                listen("127.0.0.1", port, "`causeway up`")[0].close()
            except OperatorError as error:
                raise OperatorError(f"{error} with --port (ports {ports.service} to {ports.last} are used)") from error

    async def start(self) -> None:
        """Start all at once, and wait for each: the site first, since the settings come from it.

        Raises:
            OperatorError: one of them cannot run.
        """
        for part in self.all:
            part.start()
        waits = [asyncio.create_task(part.ready()) for part in self.all]
        try:
            await asyncio.gather(*waits)
        finally:
            for wait in waits:
                wait.cancel()

    async def stop(self) -> None:
        """Drain in the order of the requests, so that each part still has the next one while it drains."""
        for part in self.all:
            part.ask_to_stop()
            await part.stopped()
