"""A real ACME authority (pebble) and its DNS server (pebble-challtestsrv), on loopback."""

import contextlib
import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from causeway.pki.authority import Authority
from causeway.pki.keys import new_p256_key
from causeway.pki.roles import Role
from tests.system.processes import free_ports, wait_until


@dataclass(frozen=True)
class Pebble:
    """Where they listen.

    Attributes:
        directory: the authority's ACME directory.
        ca_file: the root of its own server's certificate.
        dns: the DNS server, as ADDRESS:PORT.
        management: the URL by which records are put into it.
        hook: a command that does so, as ``--dns-hook`` calls it.
    """

    directory: str
    ca_file: Path
    dns: str
    management: str
    hook: Path

    def records_are_gone(self, name: str) -> bool:
        """Whether the DNS server knows no TXT record of that name."""
        shown = subprocess.run(
            ["dig", "+short", "@127.0.0.1", "-p", self.dns.rpartition(":")[2], "TXT", name],
            capture_output=True,
            text=True,
            check=True,
        )
        return not shown.stdout.strip()


_HOOK = """\
#!/bin/sh
# challtestsrv's names end with a dot.
case "$1" in
  present) curl -fsS -X POST -d "{{\\"host\\": \\"$2.\\", \\"value\\": \\"$3\\"}}" {management}/set-txt ;;
  clean-up) curl -fsS -X POST -d "{{\\"host\\": \\"$2.\\"}}" {management}/clear-txt ;;
esac
"""


@contextlib.contextmanager
def pebble(
    folder: Path,
    *,
    external_accounts: dict[str, str] | None = None,
    dns_server: str | None = None,
    refused_nonces_percent: int = 5,
) -> Iterator[Pebble]:
    """Run both.

    Args:
        folder: for their files.
        external_accounts: key id → MAC key (base64url); makes external accounts required.
        dns_server: ADDRESS:PORT that the authority asks, instead of the test's own.
        refused_nonces_percent: how many good nonces it refuses, as authorities may.
    """
    folder.mkdir(exist_ok=True)
    authority = Authority.create(folder / "ca", "Pebble's own")
    authority.issue_server(["localhost", "127.0.0.1"], new_p256_key(), Role.SITE_SYSTEM).write(
        folder / "server.pem", folder / "server.key"
    )
    port = free_ports(6)
    dns, management = port + 1, port + 2
    settings = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{port + 3}",
        "certificate": str(folder / "server.pem"),
        "privateKey": str(folder / "server.key"),
        "httpPort": port + 4,
        "tlsPort": port + 5,
        "externalAccountBindingRequired": external_accounts is not None,
        "externalAccountMACKeys": external_accounts or {},
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    hook = folder / "hook"
    hook.write_text(_HOOK.format(management=f"http://127.0.0.1:{management}"))
    hook.chmod(0o755)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((folder / "log").open("w"))

        def start(*command: str) -> None:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=folder,
                env={
                    **os.environ,
                    "PEBBLE_VA_NOSLEEP": "1",
                    "PEBBLE_AUTHZREUSE": "0",
                    "PEBBLE_WFE_NONCEREJECT": str(refused_nonces_percent),
                },
            )
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)

        start(
            "pebble-challtestsrv",
            *("-dns01", f"127.0.0.1:{dns}", "-management", f"127.0.0.1:{management}"),
            *("-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""),
        )
        start("pebble", "-config", str(folder / "pebble.json"), "-dnsserver", dns_server or f"127.0.0.1:{dns}")
        ca_file = folder / "ca" / "ca.pem"
        directory = f"https://localhost:{port}/dir"
        context = ssl.create_default_context(cafile=ca_file)
        wait_until(lambda: _answers(directory, context), what=f"pebble; its log is {folder / 'log'}")
        wait_until(lambda: _listens(dns) and _listens(management), what=f"its DNS server; {folder / 'log'}")
        yield Pebble(directory, ca_file, f"127.0.0.1:{dns}", f"http://127.0.0.1:{management}", hook)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str, context: ssl.SSLContext) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, verify=context, trust_env=False).is_success
    return False
