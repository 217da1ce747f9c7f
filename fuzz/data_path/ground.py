"""What a gateway's worker and a connection point need on disk, and the two themselves."""

import atexit
import shutil
import socket
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from causeway.connection_point import config as connection_point_config
from causeway.connection_point.service import ConnectionPoint
from causeway.gateway import config as gateway_config
from causeway.gateway.worker import WorkerSockets
from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings, sign
from causeway.observability.config import LogSection
from causeway.pki.authority import Authority
from causeway.pki.keys import new_p256_key, new_signing_key
from causeway.pki.roles import Role

MAX_BODY_BYTES = 256 * 1024
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "CCM_POST", "BITS_POST")


def _endpoint(name: str, upstream: str, **more: object) -> Endpoint:
    given = {"authentication": (Authentication.NONE,), "methods": METHODS, "max_body_bytes": MAX_BODY_BYTES, **more}
    return Endpoint(name=name, path=f"/{name}", upstream=f"http://{upstream}", **given)  # type: ignore[arg-type]


ENDPOINTS = (
    _endpoint("files", "origin.example:8080/internal/files"),
    _endpoint("root", "whole.example:8080"),
    _endpoint("chat", "origin.example:8080/chat", upgrades=("websocket",)),
    _endpoint("bound", "origin.example:8080/bound", connection_bound=True),
    _endpoint("device", "origin.example:8080/internal/device", authentication=(Authentication.CERTIFICATE,)),
)


class Ground:
    """A folder with keys, certificates and configurations, removed when the process ends.

    A connection point wants a running loop.
    """

    def __init__(self) -> None:
        self._folder = folder = Path(tempfile.mkdtemp(prefix="causeway-fuzz-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self.authority = Authority.create(folder, "Fuzzing authority")
        self._key: Ed25519PrivateKey = new_signing_key(folder / "settings.key", folder / "settings.pub.pem")
        server = self.authority.issue_server(["localhost"], new_p256_key(), Role.GATEWAY)
        server.write(folder / "server.pem", folder / "server.key")
        for part in ("gateway", "connection-point"):
            (folder / part).mkdir()

    def gateway_config(self) -> gateway_config.GatewayConfig:
        """A gateway with one worker."""
        folder = self._folder
        return gateway_config.GatewayConfig(
            name="gateway",
            workers=1,
            state=folder / "gateway",
            site_key=folder / "settings.pub.pem",
            service=gateway_config.ServiceSection(certificate=folder / "server.pem", key=folder / "server.key"),
            tunnel=gateway_config.TunnelSection(authority=folder / "ca.pem"),
            log=LogSection(requests=False),
        )

    def worker_sockets(self) -> WorkerSockets:
        """Sockets that nobody listens on."""
        return WorkerSockets(socket.socket(), socket.socket(), -1, -1)

    def connection_point(self) -> ConnectionPoint:
        """A connection point that has the settings and dials nobody."""
        folder = self._folder
        parts = connection_point_config
        point = ConnectionPoint(
            parts.ConnectionPointConfig(
                name="connection-point",
                state=folder / "connection-point",
                site=parts.SiteSection(
                    url="https://localhost:1", authority=folder / "ca.pem", key=folder / "settings.pub.pem"
                ),
                identity=parts.IdentitySection(certificate=folder / "server.pem", key=folder / "server.key"),
                gateway=(parts.GatewaySection(address="localhost:1"),),
                site_systems=parts.SiteSystemsSection(authority=folder / "ca.pem"),
                log=LogSection(requests=False),
            )
        )
        settings = GatewaySettings(
            version=1,
            issued_at="2026-01-01T00:00:00Z",
            site_code="PS1",
            endpoints=ENDPOINTS,
            trusted_roots=(self.authority.pem.decode(),),
        )
        point.settings_offered(sign(settings, self._key))
        return point
