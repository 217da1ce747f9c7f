"""A real DNS server that holds zones: PowerDNS with its API, on loopback."""

import contextlib
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.resolver
import httpx

from tests.system.processes import free_ports, wait_until

_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
_KEY = "of-this-test"


@dataclass(frozen=True)
class PowerDns:
    """Where it answers, and where it takes zones."""

    port: int
    api: str
    key: str = _KEY

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def put(self, zone: str, *records: tuple[str, str, str], ttl: int = 60) -> None:
        """Make a zone of (name, type, content); names and targets without a final dot."""
        sets: dict[tuple[str, str], list[str]] = {}
        for name, kind, content in records:
            dotted = f"{content}." if kind in {"CNAME", "NS"} else content
            sets.setdefault((name, kind), []).append(dotted)
        body = {
            "name": f"{zone}.",
            "kind": "Native",
            "rrsets": [
                {
                    "name": f"{name}.",
                    "type": kind,
                    "ttl": ttl,
                    "records": [{"content": c, "disabled": False} for c in cs],
                }
                for (name, kind), cs in sets.items()
            ],
        }
        self._client().post("/api/v1/servers/localhost/zones", json=body).raise_for_status()

    def delete(self, zone: str) -> None:
        """Forget a zone."""
        self._client().delete(f"/api/v1/servers/localhost/zones/{zone}.").raise_for_status()

    def texts(self, name: str) -> list[str]:
        """The TXT records of a name."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        try:
            return [b"".join(answer.strings).decode() for answer in resolver.resolve(name, "TXT", search=False)]
        except dns.exception.DNSException:
            return []

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self.api, headers={"X-API-Key": self.key}, trust_env=False)


@contextlib.contextmanager
def powerdns(folder: Path) -> Iterator[PowerDns]:
    """Run it."""
    folder.mkdir(exist_ok=True)
    with contextlib.closing(sqlite3.connect(folder / "pdns.db")) as database:
        database.executescript(_SCHEMA.read_text())
    port = free_ports(2)
    (folder / "pdns.conf").write_text(
        f"launch=gsqlite3\ngsqlite3-database={folder / 'pdns.db'}\nlocal-address=127.0.0.1\nlocal-port={port}\n"
        f"api=yes\napi-key={_KEY}\nwebserver-address=127.0.0.1\nwebserver-port={port + 1}\n"
        f"webserver-allow-from=127.0.0.0/8\nsocket-dir={folder}\nquery-cache-ttl=0\ncache-ttl=0\nnegquery-cache-ttl=0\n"
    )
    server = PowerDns(port, f"http://127.0.0.1:{port + 1}")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["pdns_server", f"--config-dir={folder}", "--daemon=no", "--guardian=no"], stdout=log, stderr=log
        )
    try:
        wait_until(lambda: _up(server), what=f"PowerDNS; its log is {folder / 'log'}")
        yield server
    finally:
        process.terminate()
        process.wait(20)


def _up(server: PowerDns) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(
            f"{server.api}/api/v1/servers/localhost", headers={"X-API-Key": server.key}, trust_env=False
        ).is_success
    return False
