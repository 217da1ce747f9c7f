"""Contoso's endpoints on an island, by real nginx servers at their real names and ports."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import certifi

from tests.system.certificates import Certificates, Pair, certificates
from tests.system.island import Island, island
from tests.system.plan.running import CAUSEWAY
from tests.system.processes import Process, running, wait_until

HOSTS = {
    "login.microsoftonline.com": "127.0.0.11",
    "management.azure.com": "127.0.0.12",
    "graph.microsoft.com": "127.0.0.13",
    "contosogateway.vault.azure.net": "127.0.0.14",
    "portal.azure.com": "127.0.0.15",
    "contosogateway.westeurope.cloudapp.azure.com": "127.0.0.16",
    "cm01.corp.contoso.com": "127.0.0.17",
    "mp01.corp.contoso.com": "127.0.0.18",
    "sup01.corp.contoso.com": "127.0.0.19",
}
SERVICE = "gateway.contoso.com"
_HTTP = """
daemon off; user root; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  {servers}
}}
"""
_SERVER = "server {{ listen {address}:{port} ssl; ssl_certificate {c}; ssl_certificate_key {k}; return {answer}; }}\n"
_PLAIN = "server {{ listen {address}:{port}; return 200; }}\n"


@dataclass(frozen=True)
class Premises:
    """The island, and the authority whose certificates its servers have."""

    there: Island
    folder: Path
    authority: Certificates

    def check(self, *arguments: str, plan: str, public: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``causeway check`` there, where this machine trusts the authority; ``public``: as does the world."""
        (self.folder / "plan.toml").write_text(plan)
        root = self.authority.root
        # Within the island alone, the list of public authorities is another file.
        script = f"mount --bind {root} {certifi.where()} && exec " if public else "exec "
        return self.there.run(
            *("sh", "-c", f'{script} "$@"', "sh"),
            *(*CAUSEWAY, "check", "--plan", str(self.folder / "plan.toml"), *arguments),
            environment={"SSL_CERT_FILE": str(root), "NO_COLOR": "1"},
        )

    @contextlib.contextmanager
    def nginx(self, pairs: Mapping[tuple[str, int], Pair | None], *, answer: str = "403") -> Iterator[None]:
        """Serve at addresses and ports, each with its certificate; None for plain HTTP."""
        servers = "".join(
            _PLAIN.format(address=address, port=port)
            if pair is None
            else _SERVER.format(address=address, port=port, c=pair.certificate, k=pair.key, answer=answer)
            for (address, port), pair in pairs.items()
        )
        (self.folder / "nginx.conf").write_text(_HTTP.format(folder=self.folder, servers=servers))
        folder = self.folder
        command = self.there.command("nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log")
        process = Process(command, self.folder / "nginx.out")
        with running(process):
            self._wait_for(process, pairs)
            yield

    def _wait_for(self, process: Process, listening: Mapping[tuple[str, int], object]) -> None:
        def all_there() -> bool:
            assert process.running, process.text() + (self.folder / "error.log").read_text()
            heard = self.there.run("ss", "-Hltn").stdout
            return all(f"{address}:{port} " in heard for address, port in listening)

        wait_until(all_there, what="the servers of the island")

    @contextlib.contextmanager
    def tinyproxy(self, *lines: str) -> Iterator[None]:
        """A web proxy at 127.0.0.2:3128."""
        config = self.folder / "tinyproxy.conf"
        config.write_text("\n".join(["Port 3128", "Listen 127.0.0.2", "Allow 127.0.0.0/8", *lines, ""]))
        process = Process(self.there.command("tinyproxy", "-d", "-c", config), self.folder / "tinyproxy.out")
        with running(process):
            self._wait_for(process, {("127.0.0.2", 3128): None})
            yield

    @contextlib.contextmanager
    def filters(self, *behaviours: tuple[str, str, int]) -> Iterator[None]:
        """Fake filters: behaviour, address and port of each."""
        words = [str(word) for each in behaviours for word in each]
        command = self.there.command(CAUSEWAY[0], "-m", "tests.system.preflight.fake_filter", *words)
        process = Process(command, self.folder / f"filters-{'-'.join(words)}.out")
        with running(process):
            wait_until(lambda: "listening" in process.text(), what="the filters")
            yield


@contextlib.contextmanager
def premises(folder: Path) -> Iterator[Premises]:
    """An island with Contoso's names; nothing listens there yet."""
    with island() as there:
        there.hosts(HOSTS)
        yield Premises(there, folder, certificates("premises"))
