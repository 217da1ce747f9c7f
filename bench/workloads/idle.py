"""What clients cost that are connected and say nothing."""

import resource
import subprocess
from typing import ClassVar

from bench.errors import BenchError
from bench.figures import Sample
from bench.origin import KILOBYTE_PATH
from bench.systems.base import WITH_CERTIFICATE, System
from bench.workloads.base import Column, Workload

_FEW, _MANY = 1_000, 10_000
_TIMEOUT_S = 120


class Idle(Workload):
    """Clients with certificates, each with another one, connect, ask once, and stay."""

    name = "idle"
    title = "1,000 and 10,000 idle clients with certificates, after one request each: memory at the edge"
    quick_systems = ("causeway",)
    main: ClassVar = Column("idle_kb", "kB a client (10,000)", 1)
    columns = (Column("idle_kb_1000", "kB a client (1,000)", 1), Column("edge_mb", "edge MB"))
    most_rounds: ClassVar = 1

    def warm_up(self, system: System) -> None:
        """Some clients that come and go, so that what is allocated once is there."""
        self._connect(system, [100])

    def measure(self, system: System, *, quick: bool) -> Sample:  # noqa: ARG002  # the same in a quick run
        """Connect them all."""
        before = system.edge_memory_kb()
        few, many = self._connect(system, [_FEW, _MANY])
        return {
            "idle_kb": (many - before) / _MANY,
            "idle_kb_1000": (few - before) / _FEW,
            "edge_mb": many / 1024,
        }

    def _connect(self, system: System, counts: list[int]) -> list[int]:
        """The edge's memory (kB) with so many clients connected."""
        _allow_descriptors(_MANY + 1_000)
        bench = system.bench
        certificates = bench.certificates.devices(_MANY)
        path = WITH_CERTIFICATE + KILOBYTE_PATH
        clients = subprocess.Popen(  # noqa: S603  # the benchmark's own helper
            [bench.tools.idle_clients, str(system.port), path, certificates, bench.certificates.device.key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        sizes = []
        with clients:
            assert clients.stdin is not None
            assert clients.stdout is not None
            assert clients.stderr is not None
            for count in counts:
                clients.stdin.write(f"{count}\n")
                clients.stdin.flush()
                if clients.stdout.readline().strip() != str(count):
                    reason = clients.stderr.read().strip()
                    raise BenchError(f"{system.title} does not take {count} clients: {reason}")
                sizes.append(system.edge_memory_kb())
            clients.stdin.close()
            clients.wait(_TIMEOUT_S)
        return sizes


def _allow_descriptors(count: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise BenchError(f"{count} open files are needed and {hard} allowed; raise the limit (ulimit -Hn)")
