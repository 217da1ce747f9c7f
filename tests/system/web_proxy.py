"""A web proxy on the way out: a real tinyproxy that wants credentials."""

import contextlib
import socket
from pathlib import Path

from tests.system.processes import Process, free_ports

USER, PASSWORD = "premises", "open-sesame"


class WebProxy(Process):
    """A tinyproxy on loopback."""

    def __init__(self, folder: Path) -> None:
        self.port = free_ports()
        config = folder / "tinyproxy.conf"
        config.write_text(
            f"Port {self.port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 100\nLogLevel Info\n"
            f'Logfile "{folder}/tinyproxy.log"\nAllow 127.0.0.1\nBasicAuth {USER} {PASSWORD}\n'
        )
        super().__init__(["tinyproxy", "-d", "-c", config], folder / "tinyproxy.out")
        self.asked = folder / "tinyproxy.log"

    def listens(self) -> bool:
        assert self.running, self.text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def requests_for(self, what: str) -> int:
        """How many times it let somebody through to what begins so, such as ``GET http://localhost``."""
        with contextlib.suppress(FileNotFoundError):
            return self.asked.read_text().count(f"): {what}")
        return 0

    def connects(self) -> int:
        """How many times it was asked for a tunnel."""
        with contextlib.suppress(FileNotFoundError):
            return self.asked.read_text().count("CONNECT localhost:")
        return 0
