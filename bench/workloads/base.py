"""What a workload is, and those that wrk can play."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.certificates import ServerKey
from bench.figures import Sample, per_unit
from bench.load import wrk
from bench.load.wrk import Load
from bench.origin import Origin, StaticOrigin
from bench.systems.base import System
from bench.workbench import Workbench

_GIGABYTE = 1e9


@dataclass(frozen=True, slots=True)
class Column:
    """A figure in the report: its name in a sample, its heading, and how many decimals make sense."""

    figure: str
    heading: str
    decimals: int = 0


class Workload(ABC):
    """One kind of traffic.

    Attributes:
        name: on the command line and in the results.
        title: for people.
        server_key: of the certificate that devices see.
        tickets: whether the edge issues session tickets.
        at_once: bytes are to be passed on as they come.
        systems: those that it is measured on, by name.
        quick_systems: those of a quick run; none where a quick run leaves the workload out.
        main: the figure to compare; its spread is shown.
        columns: what the report shows.
        most_rounds: where more rounds would say no more.
    """

    name: str
    title: str
    server_key: ServerKey = ServerKey.P256
    tickets: bool = False
    at_once: bool = False
    systems: Sequence[str] = ("nginx", "haproxy", "envoy-reverse", "haproxy-rhttp", "causeway")
    quick_systems: Sequence[str] = ()
    main: ClassVar[Column] = Column("cpu_us", "CPU µs")
    columns: ClassVar[Sequence[Column]] = ()
    most_rounds: ClassVar[int] = 100

    def origin(self, bench: Workbench) -> Origin:
        """Start the origin that the workload wants."""
        return StaticOrigin(bench)

    @abstractmethod
    def measure(self, system: System, *, quick: bool) -> Sample:
        """Measure once."""

    def warm_up(self, system: System) -> None:
        """What comes before the first round."""
        self.measure(system, quick=True)


REQUEST_COLUMNS = (
    Column("cpu_us.edge", "edge"),
    Column("cpu_us.connector", "connector"),
    Column("requests_s", "requests/s"),
    Column("p50_ms", "p50 ms", 2),
    Column("p99_ms", "p99 ms", 1),
    Column("p999_ms", "p99.9 ms", 1),
)
BYTE_COLUMNS = (
    Column("cpu_ms_per_gb.edge", "edge"),
    Column("cpu_ms_per_gb.connector", "connector"),
    Column("mb_s", "MB/s"),
)


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds by hop between two looks."""
    return {hop: after[hop] - before[hop] for hop in before}


def per_gigabyte(cpu_by_hop: Mapping[str, float], moved_bytes: float, seconds: float) -> Sample:
    """The figures of workloads that move much."""
    cost = per_unit("cpu_ms_per_gb", cpu_by_hop, 1e3, moved_bytes / _GIGABYTE)
    return {**cost, "mb_s": moved_bytes / seconds / 1e6}


class WrkWorkload(Workload):
    """Requests that wrk asks; CPU is counted per request."""

    columns: ClassVar[Sequence[Column]] = REQUEST_COLUMNS
    seconds: ClassVar[int] = 2
    warm_up_seconds: ClassVar[int] = 1
    load: Load

    def measure(self, system: System, *, quick: bool) -> Sample:  # noqa: ARG002  # as long in a quick run
        """Measure once."""
        return self._run(system, self.seconds)

    def warm_up(self, system: System) -> None:
        """The same for a moment; with resumption, it leaves each system something to resume."""
        self._run(system, self.warm_up_seconds)

    def _run(self, system: System, seconds: int) -> Sample:
        before = system.cpu_seconds()
        result = wrk.run(system, self.load, seconds)
        return self.figures(used(before, system.cpu_seconds()), result)

    def figures(self, cpu_by_hop: Mapping[str, float], result: wrk.Result) -> Sample:
        """What one run says."""
        return {
            **per_unit("cpu_us", cpu_by_hop, 1e6, result.requests),
            "requests_s": result.requests / result.seconds,
            "p50_ms": result.p50_ms,
            "p99_ms": result.p99_ms,
            "p999_ms": result.p999_ms,
        }
