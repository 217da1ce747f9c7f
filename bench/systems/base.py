"""What a system is, to those who start and measure it."""

import http.client
import ssl
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.certificates import Pair, ServerKey
from bench.errors import BenchError
from bench.origin import Origin
from bench.processes import Process, cpu_seconds, memory_kb
from bench.workbench import Workbench

ROLE_ID = "72057594037927937"
WITH_CERTIFICATE = f"/CCM_Proxy_MutualAuth/{ROLE_ID}"
"""The external path of what needs a client certificate; the origin knows nothing of it."""
WITHOUT_CERTIFICATE = f"/CCM_Proxy_ServerAuth/{ROLE_ID}"
"""The external path of what does not."""

_READY_TIMEOUT_S = 30.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Edge:
    """What a workload wants of the edge, and where the requests shall go.

    Attributes:
        server_key: of the certificate that devices see.
        tickets: whether session tickets are issued and taken, where the system lets one choose.
        origin: the site system.
        at_once: bytes are passed on as they come rather than gathered for a moment.
    """

    server_key: ServerKey
    tickets: bool
    origin: Origin
    at_once: bool = False


class System(ABC):
    """One way from the device to the origin.

    Attributes:
        name: on the command line and in the results.
        title: for people.
        tls: whether it speaks TLS to devices; the origin alone does not.
        port: where devices connect, once it has started.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    tls: ClassVar[bool] = True

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.port = 0
        self._hops: dict[str, Process] = {}

    @abstractmethod
    def start(self, edge: Edge) -> None:
        """Start its processes; they need not be ready when this returns."""

    @classmethod
    @abstractmethod
    def version(cls, bench: Workbench) -> str:
        """Name and version of the program."""

    def book(self, hop: str, process: Process) -> None:
        """Count a process with its descendants as a hop: ``edge`` or ``connector``."""
        self._hops[hop] = process

    def stop(self) -> None:
        """End its processes, the connector first."""
        for process in reversed(self._hops.values()):
            process.stop()
        self._hops.clear()

    def prefix(self, *, certificate: bool) -> str:
        """What stands before the origin's path, for clients with and without a certificate."""
        return WITH_CERTIFICATE if certificate else WITHOUT_CERTIFICATE

    def cpu_seconds(self) -> dict[str, float]:
        """CPU used so far, by hop."""
        for process in self._hops.values():
            process.check()
        return {name: cpu_seconds(process.pids) for name, process in self._hops.items()}

    def edge_memory_kb(self) -> int:
        """Memory of the edge's processes."""
        return memory_kb(self._hops["edge"].pids)

    def new_folder(self, hop: str) -> Path:
        """A new folder for one of its processes."""
        return self.bench.new_folder(f"{self.name}-{hop}")

    # Whether it works.

    def await_ready(self, path: str) -> None:
        """Wait until a device is answered; then make sure that the system does what all of them shall do.

        Args:
            path: at the origin, answered with 200.

        Raises:
            BenchError: it does not come up, or lets through what it must not.
        """
        device = self.bench.certificates.device
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while (found := self._probe(self.prefix(certificate=True) + path, device)) != 200:
            for process in self._hops.values():
                process.check()
            if time.monotonic() > deadline:
                raise BenchError(f"{self.title} is not ready: {found}; its logs are in {self.bench.folder}")
            time.sleep(_POLL_S)
        if self.tls:
            for what, target, shown, expected in (
                ("a request without the certificate it needs", self.prefix(certificate=True) + path, None, 403),
                ("a request that needs no certificate", self.prefix(certificate=False) + path, None, 200),
                ("a path that is not published", f"/unpublished{path}", device, 404),
            ):
                if (found := self._probe(target, shown)) != expected:
                    raise BenchError(f"{self.title} answers {what} with {found} instead of {expected}")

    def _probe(self, target: str, device: Pair | None) -> int | str:
        """The status of the answer, or why there is none."""
        connection = self.connect(device)
        try:
            connection.request("GET", target, headers={"Connection": "close"})
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        else:
            return response.status
        finally:
            connection.close()

    def connect(self, device: Pair | None) -> http.client.HTTPConnection:
        """A connection as a device makes it; ``device`` is the certificate to show."""
        if not self.tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        context = ssl.create_default_context(cafile=self.bench.certificates.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if device is not None:
            context.load_cert_chain(device.certificate, device.key)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
