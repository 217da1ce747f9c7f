"""pebble on an island, behind nginx at the address of the authority that ``causeway cert acme`` asks by default."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from tests.system.certificates import Certificates
from tests.system.island import Island
from tests.system.preflight.iis_like import server
from tests.system.processes import Process, running, wait_until

NAME = "acme-v02.api.letsencrypt.org"
_ADDRESS, _MANAGEMENT = "127.0.0.1:14000", "127.0.0.1:15000"


def front(address: str, certificates: Certificates) -> str:
    """nginx's server block: pebble names its directory otherwise, and its addresses by the name it is asked by."""
    passing = f"proxy_pass https://{_ADDRESS}{{}}; proxy_set_header Host {NAME};"
    inside = f"location = /directory {{ {passing.format('/dir')} }} location / {{ {passing.format('')} }}"
    return server(NAME, 443, inside, certificates.server(NAME), address)


@contextlib.contextmanager
def public_authority(there: Island, folder: Path, certificates: Certificates) -> Iterator[Path]:
    """Run it; it proves names by the island's own DNS. Gives the root of what it issues."""
    folder.mkdir(exist_ok=True)
    pair = certificates.server("localhost")
    settings = {
        "listenAddress": _ADDRESS,
        "managementListenAddress": _MANAGEMENT,
        "certificate": str(pair.certificate),
        "privateKey": str(pair.key),
        "httpPort": 15002,
        "tlsPort": 15001,
        "externalAccountBindingRequired": False,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    command = there.command(
        *("env", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0"),
        *("pebble", "-config", folder / "pebble.json", "-dnsserver", "127.0.0.1:53"),
    )
    root = folder / "root.pem"

    def issues() -> bool:
        at = ("--cacert", certificates.root, "--connect-to", f"::{_MANAGEMENT}")
        asked = there.run("curl", "-fsS", *at, "https://localhost/roots/0")
        root.write_text(asked.stdout)
        return asked.returncode == 0

    with running(Process(command, folder / "log")):
        wait_until(issues, what=f"pebble; its log is {folder / 'log'}")
        yield root
