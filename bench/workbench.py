"""What all systems of a run share: a folder, the tools, certificates, ports."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from bench.certificates import Certificates
from bench.errors import BenchError
from bench.needs import Tools

_FIRST_PORT, _LAST_PORT = 21000, 31000


class Ports:
    """Free ports on loopback, below those that the kernel gives to outgoing connections."""

    def __init__(self) -> None:
        self._next = _FIRST_PORT

    def take(self, count: int = 1) -> int:
        """The first of ``count`` free ports in a row."""
        while self._next + count <= _LAST_PORT:
            first = self._next
            self._next += count
            if all(map(_is_free, range(first, first + count))):
                return first
        raise BenchError(f"no free ports between {_FIRST_PORT} and {_LAST_PORT}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Workbench:
    """One run's surroundings."""

    folder: Path
    """For configurations and logs; removed with the run."""
    tools: Tools
    certificates: Certificates
    ports: Ports

    def new_folder(self, name: str) -> Path:
        """A new folder whose name begins with ``name``."""
        number = sum(1 for one in self.folder.iterdir() if one.name.startswith(f"{name}-"))
        folder = self.folder / f"{name}-{number}"
        folder.mkdir(mode=0o700)
        return folder


def nginx_user() -> str:
    """Whom nginx's workers run as: whoever runs the benchmark, so that its folder can stay private."""
    return "root root" if os.geteuid() == 0 else "nobody"
