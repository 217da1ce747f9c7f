"""Large bodies, down and up."""

import time
from collections.abc import Mapping, Sequence
from typing import ClassVar

from bench.errors import BenchError
from bench.figures import Sample
from bench.load.wrk import Load, Request, Result
from bench.origin import DOWNLOAD_PATH, AnsweringOrigin, Origin, answer_path
from bench.systems.base import System
from bench.workbench import Workbench
from bench.workloads.base import BYTE_COLUMNS, Column, Workload, WrkWorkload, per_gigabyte, used

_SYSTEMS = ("origin", "nginx", "haproxy", "envoy-reverse", "haproxy-rhttp", "haproxy-rhttp-64k", "causeway")


class Download(WrkWorkload):
    """Four clients download 10 MB again and again."""

    name = "download"
    title = "10 MB downloads, 4 clients with certificates"
    systems = _SYSTEMS
    quick_systems = ("haproxy-rhttp", "causeway")
    main: ClassVar = Column("cpu_ms_per_gb", "CPU ms/GB")
    columns: ClassVar[Sequence[Column]] = BYTE_COLUMNS
    load = Load((Request("GET", DOWNLOAD_PATH),), connections=4)

    def figures(self, cpu_by_hop: Mapping[str, float], result: Result) -> Sample:
        """By what has gone through, requests cut off by the end of the round included."""
        return per_gigabyte(cpu_by_hop, result.bytes, result.seconds)


class Upload(Workload):
    """One client uploads 200 MB."""

    name = "upload"
    title = "200 MB upload, one client with a certificate"
    systems = _SYSTEMS
    main: ClassVar = Column("cpu_ms_per_gb", "CPU ms/GB")
    columns: ClassVar[Sequence[Column]] = BYTE_COLUMNS

    _bytes = 200_000_000
    _piece = memoryview(bytes(256 * 1024))

    def origin(self, bench: Workbench) -> Origin:
        """The one that takes bodies."""
        return AnsweringOrigin(bench)

    def measure(self, system: System, *, quick: bool) -> Sample:
        """Upload once."""
        size = self._bytes // 10 if quick else self._bytes
        connection = system.connect(system.bench.certificates.device)
        connection.connect()
        before, started = system.cpu_seconds(), time.monotonic()
        connection.putrequest("POST", system.prefix(certificate=True) + answer_path(0))
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        left = size
        while left:
            piece = self._piece[: min(left, len(self._piece))]
            connection.send(piece)
            left -= len(piece)
        response = connection.getresponse()
        response.read()
        seconds = time.monotonic() - started
        cpu = used(before, system.cpu_seconds())
        connection.close()
        if response.status != 200:
            raise BenchError(f"{system.title} answers an upload with {response.status}")
        return per_gigabyte(cpu, size, seconds)
