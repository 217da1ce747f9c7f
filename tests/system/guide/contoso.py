"""Contoso on an island: its DNS and what Azure's names lead to, its site systems, a public authority.

Real programs (PowerDNS, pebble, nginx, Samba) at their real names and ports; of Azure and of IIS there are the fakes.
"""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi

from tests.system.azure import graph_island
from tests.system.azure.running import GROUP, PREFIX, PROVIDERS, REGION, FakeAzure, serving
from tests.system.azure.running import HOSTS as AZURE
from tests.system.certificates import Certificates, certificates
from tests.system.guide import public_authority
from tests.system.guide.site_systems import ADDRESSES, DOMAIN, SiteSystems
from tests.system.island import Island
from tests.system.plan.running import CAUSEWAY, environment
from tests.system.powerdns import PowerDns, powerdns
from tests.system.preflight.iis_like import server
from tests.system.samba import ADDRESS as DOMAIN_CONTROLLER
from tests.system.samba import ADMINISTRATOR, HOST, PASSWORD, Samba, samba

ZONE = "contoso.com"
DEPLOYMENT = "contosogateway.westeurope.cloudapp.azure.com"
_RESOLVERS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
_COMPUTERS = """
for name in ("CP01", "CP02"):
    sam.newcomputer(name)
    change(name + "$", userAccountControl=4096)  # enabled, as one that has joined the domain
"""
_PORTAL = "portal.azure.com"
_AZURE_AT, _GRAPH_AT, _PORTAL_AT, _AUTHORITY_AT = (f"127.0.0.{number}" for number in range(2, 6))


@dataclass
class Contoso:
    """What stands on the island, and what its administrator does there.

    Attributes:
        folder: where the administrator works.
        trusted: the roots that the machine trusts: Contoso's own and the public ones, in one file.
    """

    there: Island
    folder: Path
    dns: PowerDns
    azure: FakeAzure
    pki: Certificates
    site_systems: SiteSystems
    directory: Samba
    trusted: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the administrator."""
        # Within the island alone, the list of public authorities is another file.
        script = f'mount --bind {self.trusted} {certifi.where()} && cd {self.folder} && exec "$@"'
        return self.there.run(
            *("sh", "-c", script, "sh", *command),
            environment={
                **environment(self.folder),
                "SSL_CERT_FILE": str(self.trusted),
                "REQUESTS_CA_BUNDLE": str(self.trusted),
                **self.azure.signed_in,
            },
            timeout=120,
        )

    def causeway(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``causeway``."""
        return self.run(*CAUSEWAY, *arguments)

    def check(self, *arguments: str) -> list[dict[str, Any]]:
        """Run ``causeway check``, and see that its exit code says what its results say."""
        signed_in = ("--directory-user", f"{ADMINISTRATOR}@{DOMAIN}", "--directory-password-file", "password")
        done = self.causeway("check", "--json", "--ca", str(self.pki.root), *signed_in, *arguments)
        assert done.returncode in {0, 1}, done.stderr
        answer = json.loads(done.stdout)
        failed = [each for each in answer["checks"] if each["status"] == "FAIL"]
        assert (answer["ok"], done.returncode) == ((False, 1) if failed else (True, 0))
        return list(answer["checks"])


def _put_zones(dns: PowerDns) -> None:
    dns.put(ZONE, (ZONE, "NS", f"ns1.{ZONE}"), (f"ns1.{ZONE}", "A", "127.0.0.1"))
    dns.put(
        DOMAIN,
        *((f"{name}.{DOMAIN}", "A", address) for name, address in ADDRESSES.items()),
        (HOST, "A", DOMAIN_CONTROLLER),
        (f"_ldap._tcp.dc._msdcs.{DOMAIN}", "SRV", f"0 100 389 {HOST}"),
    )
    dns.put("cloudapp.azure.com", (DEPLOYMENT, "A", "20.1.2.3"))
    dns.put("vault.azure.net")  # no vault of this name yet
    others = {"graph.microsoft.com": _GRAPH_AT, _PORTAL: _PORTAL_AT, public_authority.NAME: _AUTHORITY_AT}
    for name, address in {**dict.fromkeys(AZURE, _AZURE_AT), **others}.items():
        dns.put(name, (name, "A", address))


@contextlib.contextmanager
def contoso(folder: Path) -> Iterator[Contoso]:
    """Everything runs, and much of it is not yet as a gateway needs it."""
    pki, microsoft = certificates("contoso"), certificates("azure")
    work = folder / "work"
    for each in (work, folder / "samba"):
        each.mkdir()
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(samba(folder / "samba", pki, script=_COMPUTERS))
        there = directory.island
        there.resolvers(["127.0.0.1"])
        for address in _RESOLVERS:
            there.address(address)
        dns = stack.enter_context(powerdns(folder / "dns", there, *_RESOLVERS))
        _put_zones(dns)
        azure = stack.enter_context(serving(there, folder / "azure", _AZURE_AT))
        azure.seed(
            claims={"idtyp": "app", "roles": list(graph_island.PERMISSIONS)},
            providers={**dict.fromkeys(PROVIDERS, "Registered"), "Microsoft.Compute": "NotRegistered"},
            deleted_vaults=[{"name": PREFIX, "group": GROUP, "location": REGION}],
        )
        stack.enter_context(graph_island.serving(graph_island.GraphIsland(there, folder), _GRAPH_AT))
        others = (
            public_authority.front(_AUTHORITY_AT, microsoft),
            server(_PORTAL, 443, "return 200;", microsoft.server(_PORTAL), _PORTAL_AT),
        )
        site_systems = SiteSystems(there, folder / "site-systems", pki, others)
        site_systems.start()
        stack.callback(site_systems.stop)
        public_root = stack.enter_context(public_authority.public_authority(there, folder / "public", microsoft))
        trusted = folder / "trusted.pem"
        trusted.write_text("".join(each.read_text() for each in (pki.root, microsoft.root, public_root)))
        (work / "password").write_text(PASSWORD + "\n")
        yield Contoso(there, work, dns, azure, pki, site_systems, directory, trusted)
