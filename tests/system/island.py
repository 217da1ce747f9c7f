"""A machine's network of its own: names lead where a test wants, and ports such as 443 and 53 are nobody else's.

Programs run in it by their real names and ports (``management.azure.com`` at 443, say) and meet servers of the test's
there, so that what is tested needs no door for tests. Nothing outside can be reached from it. Needs root.
"""

import contextlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_numbers = itertools.count(1)
_FILES = Path("/etc/netns")  # what lies in a namespace's folder here, `ip netns exec` shows in /etc
_LOCALHOST = "127.0.0.1 localhost\n::1 localhost\n"


@dataclass(frozen=True, slots=True)
class Island:
    """A network namespace with its loopback interface, and its own ``/etc/hosts`` and ``/etc/resolv.conf``."""

    namespace: str

    def command(self, *arguments: str | Path) -> list[str]:
        """The command line that runs a command there; as quick as the command itself."""
        return ["ip", "netns", "exec", self.namespace, *map(str, arguments)]

    def run(
        self, *arguments: str | Path, environment: Mapping[str, str] | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there to its end; its exit code is the caller's to look at."""
        return subprocess.run(
            self.command(*arguments),
            env={**os.environ, **(environment or {})},
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def hosts(self, names: Mapping[str, str]) -> None:
        """Programs that start from now on find these names at these addresses (any of 127.0.0.0/8)."""
        lines = "".join(f"{address} {name}\n" for name, address in names.items())
        (_FILES / self.namespace / "hosts").write_text(_LOCALHOST + lines)

    def resolvers(self, addresses: Sequence[str]) -> None:
        """Programs that start from now on ask these name servers, at port 53."""
        lines = "".join(f"nameserver {address}\n" for address in addresses)
        (_FILES / self.namespace / "resolv.conf").write_text(lines + "options timeout:1 attempts:2\n")

    def address(self, address: str) -> None:
        """Give the loopback interface another address, such as a public one that a program has built in."""
        subprocess.run(["ip", "-n", self.namespace, "address", "add", f"{address}/32", "dev", "lo"], check=True)


def add_namespace(name: str) -> None:
    """Make a network namespace, or say what it needs."""
    made = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True, text=True)
    assert made.returncode == 0, f"this test makes a network namespace, which needs root: {made.stderr.strip()}"


@contextlib.contextmanager
def island() -> Iterator[Island]:
    """Make one; whatever still runs in it afterwards runs on without a name."""
    made = Island(f"causeway-{os.getpid()}-{next(_numbers)}")
    folder = _FILES / made.namespace
    add_namespace(made.namespace)
    folder.mkdir(parents=True)
    try:
        made.hosts({})
        made.resolvers(["127.0.0.1"])
        subprocess.run(["ip", "-n", made.namespace, "link", "set", "lo", "up"], check=True)
        yield made
    finally:
        subprocess.run(["ip", "netns", "delete", made.namespace], check=True)
        shutil.rmtree(folder)
