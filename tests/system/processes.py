"""Real processes: started, watched by their logs and admin addresses, and always cleaned up."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

T = TypeVar("T")

_POLL_S = 0.02
_FIRST_PORT, _LAST_PORT = 28_100, 32_700  # below those that the kernel gives to outgoing connections


def wait_until(look: Callable[[], T], *, timeout: float = 30.0, what: str = "") -> T:
    """Look again and again until something true is seen, and return that."""
    deadline = time.monotonic() + timeout
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {timeout} s in vain: {what or look}"
        time.sleep(_POLL_S)
    return seen


def free_ports(count: int = 1) -> int:
    """The first of ``count`` free ports in a row; nobody else is given one of them for a long time."""
    ledger = Path(tempfile.gettempdir()) / f"causeway-test-ports-{os.getuid()}"
    with ledger.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        first = int(file.read() or _FIRST_PORT)
        for _ in range(_LAST_PORT - _FIRST_PORT):
            first = first if first + count <= _LAST_PORT else _FIRST_PORT
            if all(_is_free(port) for port in range(first, first + count)):
                file.truncate(0)
                file.write(str(first + count))
                return first
            first += 1
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Process:
    """One process and what it logs, in a file."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, *, environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = [str(part) for part in command]
        self._environment = {**os.environ, **(environment or {})}
        self.log = log
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )

    @property
    def popen(self) -> "subprocess.Popen[bytes]":
        assert self._popen is not None, "not started"
        return self._popen

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def wait(self, timeout: float = 60.0) -> int:
        return self.popen.wait(timeout)

    def stop(self, timeout: float = 60.0) -> int:
        """End it in good order; returns its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self) -> None:
        """End this very process at once, as the kernel does when memory is short."""
        self.signal(signal.SIGKILL)
        self.wait()

    def clean_up(self) -> None:
        """End it and everything it started, whatever state they are in."""
        if self._popen is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()

    def resident_bytes(self) -> dict[int, int]:
        """Memory by process: this one and its children."""
        processes = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        return {process.pid: process.memory_info().rss for process in processes}

    # Logs.

    def text(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def events(self, event: str | None = None, **fields: Any) -> list[dict[str, Any]]:
        """The events logged so far that have these fields."""
        found = []
        for line in self.text().splitlines():
            if not line.startswith("{") or (event is not None and f'"{event}"' not in line):
                continue
            try:
                logged = json.loads(line)
            except ValueError:
                continue  # the last line, half written
            if (event is None or logged.get("event") == event) and fields.items() <= logged.items():
                found.append(logged)
        return found

    def wait_for(self, event: str, *, timeout: float = 30.0, count: int = 1, **fields: Any) -> list[dict[str, Any]]:
        """Wait until ``count`` such events have been logged."""

        def look() -> list[dict[str, Any]]:
            found = self.events(event, **fields)
            if len(found) < count:
                assert self.running, f"{self.log}: ended early\n{self.text()[-3000:]}"
                return []
            return found

        return wait_until(look, timeout=timeout, what=f"{count} times {event} {fields} in {self.log}")


def compiled() -> dict[str, str]:
    """The environment in which ``python -P -m causeway.cli`` is the compiled Causeway, as it stands on a gateway.

    The unit tests, and ``causeway up`` in its own tests, are the interpreted one.
    """
    folder = Path(sys.prefix) / "compiled"
    assert folder.is_dir(), "make compiled"
    return {"PYTHONPATH": str(folder)}


class Part(Process):
    """A part of Causeway with an admin address; compiled."""

    def __init__(self, arguments: Sequence[str | Path], log: Path, admin_port: int) -> None:
        super().__init__([sys.executable, "-P", "-m", "causeway.cli", *arguments], log, environment=compiled())
        self.admin = f"http://127.0.0.1:{admin_port}"

    def clean_up(self) -> None:
        """End it. What escaped to its event loop is a fault, whatever else was tested."""
        super().clean_up()
        faults = self.events("internal error") if self.log.exists() else []
        assert not faults, faults[-1]

    def get(self, path: str) -> httpx.Response:
        """Ask the admin address."""
        return httpx.get(self.admin + path, timeout=10.0, trust_env=False)

    def not_ready(self) -> list[str] | None:
        """Why it is not ready; empty where it is, None where it does not answer."""
        with contextlib.suppress(httpx.HTTPError, ValueError):
            reasons: list[str] = self.get("/readyz").json()["reasons"]
            return reasons
        return None

    def wait_until_ready(self, timeout: float = 30.0) -> None:
        def look() -> bool:
            assert self.running, f"{self.log}: ended early\n{self.text()[-3000:]}"
            return self.not_ready() == []

        wait_until(look, timeout=timeout, what=f"readiness of {self.log}")

    def metrics(self) -> "Metrics":
        """All metrics as they are now."""
        families = text_string_to_metric_families(self.get("/metrics").text)
        return Metrics([sample for family in families for sample in family.samples])

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels."""
        return self.metrics().total(name, **labels)


class Metrics:
    """What one scrape gave."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples

    def total(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels."""
        return sum(one.value for one in self._samples if one.name == name and labels.items() <= one.labels.items())

    @property
    def names(self) -> set[str]:
        return {one.name for one in self._samples}


@contextlib.contextmanager
def running(*processes: Process) -> Iterator[None]:
    """Start processes, and end them with the block, whatever happens in it."""
    with contextlib.ExitStack() as stack:
        for process in processes:
            stack.callback(process.clean_up)
            process.start()
        yield
