"""Causeway as in production: supervisor, workers, admin process and connection point, with certificates on both legs.

Request logs and metrics are on, in their default form. The settings were signed by the site and lie in the connection
point's state folder, as after any run before; the site itself is not there.
"""

import datetime as dt
import json
import ssl
import sys
from importlib.metadata import version
from pathlib import Path

from bench.errors import BenchError
from bench.processes import Process
from bench.systems.base import WITH_CERTIFICATE, WITHOUT_CERTIFICATE, Edge, System
from bench.workbench import Workbench
from causeway import __version__
from causeway.files import make_private_folder
from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings, sign
from causeway.pki.keys import load_signing_key

_METHODS = ("GET", "HEAD", "POST", "CCM_POST")
_MAX_BODY_BYTES = 1 << 30


class Causeway(System):
    """One worker, its data path compiled."""

    name = "causeway"
    title = "Causeway"
    workers = 1
    compiled = True

    def start(self, edge: Edge) -> None:
        """Start both hops; the connection point dials until the gateway is there."""
        ports = self.bench.ports
        self.port, tunnel = ports.take(), ports.take(self.workers)
        gateway, point = self.new_folder("edge"), self.new_folder("connector")
        _write(gateway / "gateway.toml", self._gateway(edge, tunnel))
        _write(point / "connection-point.toml", self._connection_point(tunnel))
        make_private_folder(point / "state")
        (point / "state" / "gateway-settings.jws").write_bytes(self._settings(edge))
        # Without -P the sources in the current folder would come first.
        command = [sys.executable, "-P", "-m", "causeway.cli"]
        environment = {"PYTHONPATH": str(self._compiled())} if self.compiled else {}
        for hop, part, configuration in (
            ("edge", "gateway", gateway / "gateway.toml"),
            ("connector", "connection-point", point / "connection-point.toml"),
        ):
            log = configuration.parent / "output.log"
            self.book(
                hop, Process(f"{self.title} ({part})", [*command, part, "run", "-c", configuration], log, environment)
            )

    @staticmethod
    def _compiled() -> Path:
        folder = Path(sys.prefix) / "compiled"
        if not folder.is_dir():
            raise BenchError("the compiled data path is not there: make compiled")
        return folder

    def _gateway(self, edge: Edge, tunnel: int) -> dict[str, object]:
        certificates = self.bench.certificates
        server = certificates.server(edge.server_key)
        return {
            "name": "gateway",
            "workers": self.workers,
            "site_key": certificates.settings_public_key,
            "service": {
                "address": "127.0.0.1",
                "port": self.port,
                "certificate": server.certificate,
                "key": server.key,
                "session_tickets": edge.tickets,
            },
            "tunnel": {"address": "127.0.0.1", "port": tunnel, "authority": certificates.authority},
            "admin": {"port": self.bench.ports.take()},
        }

    def _connection_point(self, tunnel: int) -> dict[str, object]:
        certificates = self.bench.certificates
        connector = certificates.connector
        authority = certificates.authority
        return {
            "name": "connection-point",
            "site": {
                "url": f"https://localhost:{self.bench.ports.take()}",  # nobody listens there
                "authority": authority,
                "key": certificates.settings_public_key,
            },
            "identity": {"certificate": connector.certificate, "key": connector.key},
            "gateway": [{"address": f"localhost:{tunnel}", "authority": authority}],
            "admin": {"port": self.bench.ports.take()},
        }

    def _settings(self, edge: Edge) -> bytes:
        upstream = f"http://127.0.0.1:{edge.origin.port}"
        settings = GatewaySettings(
            version=1,
            issued_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            site_code="PS1",
            service_name="localhost",
            endpoints=tuple(
                Endpoint(
                    name=name,
                    path=path,
                    upstream=upstream,
                    authentication=authentication,
                    methods=_METHODS,
                    max_body_bytes=_MAX_BODY_BYTES,
                )
                for name, path, authentication in (
                    ("with-certificate", WITH_CERTIFICATE, (Authentication.CERTIFICATE,)),
                    ("without-certificate", WITHOUT_CERTIFICATE, (Authentication.NONE,)),
                )
            ),
            trusted_roots=(self.bench.certificates.authority.read_text(),),
        )
        return sign(settings, load_signing_key(self.bench.certificates.settings_key))

    @classmethod
    def version(cls, bench: Workbench) -> str:  # noqa: ARG003  # it is this program
        """With what it runs on."""
        python = ".".join(map(str, sys.version_info[:3]))
        return f"Causeway {__version__} on Python {python}, uvloop {version('uvloop')}, {ssl.OPENSSL_VERSION[:14]}"


class CausewaySource(Causeway):
    """One worker, interpreted."""

    name = "causeway-source"
    title = "Causeway, not compiled"
    compiled = False


class CausewayTwoWorkers(Causeway):
    """Two worker processes share the port."""

    name = "causeway-2"
    title = "Causeway, two workers"
    workers = 2


def _write(path: Path, content: dict[str, object]) -> None:
    """As TOML: JSON's strings, numbers and lists are TOML's."""
    plain, tables = [], []
    for key, value in content.items():
        if isinstance(value, dict):
            tables += ["", f"[{key}]", *_pairs(value)]
        elif isinstance(value, list):
            for table in value:
                tables += ["", f"[[{key}]]", *_pairs(table)]
        else:
            plain += _pairs({key: value})
    path.write_text("\n".join([*plain, *tables, ""]))


def _pairs(table: dict[str, object]) -> list[str]:
    return [f"{key} = {json.dumps(value, default=str)}" for key, value in table.items()]
