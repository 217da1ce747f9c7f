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

from tests.system.island import Island
from tests.system.processes import Process, free_ports, running, wait_until

_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
_KEY = "of-this-test"


@dataclass(frozen=True)
class PowerDns:
    """Where it answers, and where it takes zones."""

    folder: Path
    port: int
    api: str
    key: str = _KEY

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def put(self, zone: str, *records: tuple[str, str, str], ttl: int = 60) -> None:
        """Make a zone of (name, type, content), or make it anew; names and targets without a final dot."""
        lines = [f"{zone}. 60 IN SOA ns1.{zone}. hostmaster.{zone}. 1 3600 600 86400 60"]
        lines += [
            f"{name}. {ttl} IN {kind} {content}{'.' if kind in {'CNAME', 'NS', 'SRV'} else ''}"
            for name, kind, content in records
        ]
        file = self.folder / f"{zone}.zone"
        file.write_text("\n".join([*lines, ""]))
        self._pdnsutil("load-zone", zone, str(file))

    def put_record(self, zone: str, name: str, kind: str, content: str, ttl: int) -> None:
        """Have a record in a zone, instead of those of its name and type; ``name`` within the zone, all with dots."""
        self._pdnsutil("replace-rrset", zone, name, kind, str(ttl), content)

    def delete(self, zone: str) -> None:
        """Forget a zone."""
        self._pdnsutil("delete-zone", zone)

    def _pdnsutil(self, *arguments: str) -> None:
        command = ["pdnsutil", f"--config-dir={self.folder}", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def texts(self, name: str) -> list[str]:
        """The TXT records of a name."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        try:
            return [b"".join(answer.strings).decode() for answer in resolver.resolve(name, "TXT", search=False)]
        except dns.exception.DNSException:
            return []


@contextlib.contextmanager
def powerdns(folder: Path, there: Island | None = None, *addresses: str) -> Iterator[PowerDns]:
    """Run it: on a port of its own, or on an island at port 53, and at other ``addresses`` of its, too."""
    folder.mkdir(exist_ok=True)
    with contextlib.closing(sqlite3.connect(folder / "pdns.db")) as database:
        database.executescript(_SCHEMA.read_text())
    port, web = (53, 8053) if there else (first := free_ports(2), first + 1)
    (folder / "pdns.conf").write_text(
        f"launch=gsqlite3\ngsqlite3-database={folder / 'pdns.db'}\n"
        f"local-address={','.join(('127.0.0.1', *addresses))}\nlocal-port={port}\n"
        f"api=yes\napi-key={_KEY}\nwebserver-address=127.0.0.1\nwebserver-port={web}\n"
        f"webserver-allow-from=127.0.0.0/8\nsocket-dir={folder}\nzone-cache-refresh-interval=0\n"
        "query-cache-ttl=0\ncache-ttl=0\nnegquery-cache-ttl=0\n"
    )
    server = PowerDns(folder, port, f"http://127.0.0.1:{web}")
    command = ["pdns_server", f"--config-dir={folder}", "--daemon=no", "--guardian=no"]
    process = Process(there.command(*command) if there else command, folder / "log")
    with running(process):
        wait_until(lambda: _up(server, there), what=f"PowerDNS; its log is {folder / 'log'}")
        yield server


def _up(server: PowerDns, there: Island | None) -> bool:
    if there:
        asked = there.run("dig", "+time=1", "+tries=1", "@127.0.0.1", "version.bind", "CH", "TXT")
        return "status: " in asked.stdout
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(
            f"{server.api}/api/v1/servers/localhost", headers={"X-API-Key": server.key}, trust_env=False
        ).is_success
    return False
