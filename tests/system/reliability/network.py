"""A network namespace for the gateway, with a line to it for each connection point, whose packets can be lost.

A line is cut by giving both ends a wrong hardware address for the other: packets leave and arrive at nobody, as behind
a firewall that has forgotten the connection. Nothing is refused and nothing is told.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.system.island import add_namespace
from tests.system.processes import Part

_NOBODY = "02:00:00:00:00:01"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


@dataclass(frozen=True, slots=True)
class Line:
    """A pair of network interfaces, one here and one in the namespace.

    Attributes:
        here, there: the addresses of its ends.
    """

    namespace: str
    interface: str
    here: str
    there: str

    def open(self) -> None:
        far = f"{self.interface}n"
        _ip("link", "add", self.interface, "type", "veth", "peer", "name", far, "netns", self.namespace)
        _ip("address", "add", f"{self.here}/30", "dev", self.interface)
        _ip("link", "set", self.interface, "up")
        _ip("-n", self.namespace, "address", "add", f"{self.there}/30", "dev", far)
        _ip("-n", self.namespace, "link", "set", far, "up")

    def cut(self) -> None:
        """From now on no packet arrives."""
        for where, device, neighbour in self._ends():
            _ip(*where, "neighbour", "replace", neighbour, "lladdr", _NOBODY, "dev", device, "nud", "permanent")

    def mend(self) -> None:
        """From now on packets arrive."""
        for where, device, neighbour in self._ends():
            _ip(*where, "neighbour", "delete", neighbour, "dev", device)

    def _ends(self) -> list[tuple[tuple[str, ...], str, str]]:
        return [((), self.interface, self.there), (("-n", self.namespace), f"{self.interface}n", self.here)]


@dataclass(frozen=True, slots=True)
class Network:
    """The namespace and its lines."""

    namespace: str
    lines: list[Line]


class PartThere(Part):
    """A part of Causeway that runs in the namespace, where its admin address listens to everybody."""

    def __init__(self, net: Network, arguments: Sequence[str | Path], log: Path, admin_port: int) -> None:
        super().__init__(arguments, log, admin_port)
        self._command = ["ip", "netns", "exec", net.namespace, *self._command]
        self.admin = f"http://{net.lines[0].there}:{admin_port}"


@contextlib.contextmanager
def network(lines: int) -> Iterator[Network]:
    """Make a namespace with so many lines to it; needs root."""
    number = os.getpid() % 4096
    name = f"causeway{number}"
    made = [
        Line(
            name, f"cw{number}l{line}", *(f"10.{200 + number // 256}.{number % 256}.{line * 4 + end}" for end in (1, 2))
        )
        for line in range(lines)
    ]
    add_namespace(name)
    try:
        _ip("-n", name, "link", "set", "lo", "up")
        for line in made:
            line.open()
        yield Network(name, made)
    finally:
        _ip("netns", "delete", name)  # takes the lines along
