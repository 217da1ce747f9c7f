"""How much later the first byte of an event stream comes than from the origin itself."""

import time
from typing import ClassVar

from bench.errors import BenchError
from bench.figures import Sample, percentile
from bench.origin import EVENTS_PATH, AnsweringOrigin, Origin
from bench.systems.base import System
from bench.workbench import Workbench
from bench.workloads.base import Column, Workload


class FirstByte(Workload):
    """One client on a kept connection asks for events, one stream after the other."""

    name = "first-byte"
    title = "first byte of a server-sent event, one client on a kept connection"
    systems = ("origin", "nginx", "haproxy", "envoy-reverse", "haproxy-rhttp", "causeway")
    quick_systems = ("origin", "haproxy-rhttp", "causeway")
    at_once = True
    main: ClassVar = Column("first_byte_ms", "p50 ms", 3)
    columns = (Column("first_byte_p99_ms", "p99 ms", 3),)

    def origin(self, bench: Workbench) -> Origin:
        """The one that sends events."""
        return AnsweringOrigin(bench)

    def measure(self, system: System, *, quick: bool) -> Sample:
        """Ask for some streams."""
        connection = system.connect(system.bench.certificates.device)
        path = system.prefix(certificate=True) + EVENTS_PATH
        times_ms = []
        for _ in range(50 if quick else 120):
            started = time.perf_counter()
            connection.request("GET", path)
            response = connection.getresponse()
            first = response.read1(4096)
            times_ms.append((time.perf_counter() - started) * 1e3)
            if response.status != 200 or not first.startswith(b"data:"):
                raise BenchError(f"{system.title} answers an event stream with {response.status}")
            response.read()
        connection.close()
        times_ms.sort()
        return {"first_byte_ms": percentile(times_ms, 0.5), "first_byte_p99_ms": percentile(times_ms, 0.99)}
