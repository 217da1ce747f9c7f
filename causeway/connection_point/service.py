"""A connection point from start to drain."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterable, Sequence

import structlog
import uvloop
from prometheus_client.core import Metric

from causeway.compiled import data_path_is_compiled
from causeway.connection_point.config import SETTINGS_FILE, ConnectionPointConfig
from causeway.connection_point.dialer import Dialer
from causeway.connection_point.metrics import ConnectionPointMetrics, families
from causeway.connection_point.settings_feed import follow_settings
from causeway.connection_point.signed_identity import IdentitySigner
from causeway.connection_point.site_systems import SiteSystems
from causeway.connection_point.tls import gateway_context, site_context, site_system_context
from causeway.connection_point.tunnel import ConnectionPointTunnel
from causeway.errors import StateError
from causeway.files import make_private_folder
from causeway.gateway_settings import SettingsError, SettingsStore
from causeway.observability import logging
from causeway.observability.access_log import AccessLog
from causeway.observability.admin import admin_app, admin_server, listen
from causeway.pki.in_use import CertificateInUse
from causeway.pki.keys import load_verification_key
from causeway.transport import allow_many_connections

log = structlog.get_logger()

_SWEEP_S = 1.0


class ConnectionPoint:
    """What all tunnels share.

    Attributes:
        tunnels: those that stand, to all workers of all instances; one that waits for its HELLO has no ``gateway`` yet.
        role: the certificate for gateways and the site.
        certificates: those in use.
        site_reason: why the site gives no settings at present; empty where it does.
    """

    def __init__(self, config: ConnectionPointConfig) -> None:
        self.config = config
        self.metrics = ConnectionPointMetrics()
        self.tunnels: list[ConnectionPointTunnel] = []
        self.access_log = AccessLog("connection-point", enabled=config.log.requests)
        self.site_reason = ""
        systems = config.site_systems
        self._signer = IdentitySigner(config.identity)
        identity = config.identity
        self.role = CertificateInUse("role", identity.certificate, identity.key, take=self._take_role)
        self.role.take()
        self.site_systems = SiteSystems(
            site_system_context(config),
            self._signer,
            connect_timeout_s=systems.connect_timeout_s,
            idle_timeout_s=systems.idle_timeout_s,
            limit=systems.max_connections,
        )
        self.certificates = [self.role]
        if systems.certificate is not None:
            files = [path for path in (systems.certificate, systems.key, systems.authority) if path is not None]
            shown = CertificateInUse("site_systems", *files, take=self._take_shown)
            shown.take()
            self.certificates.append(shown)
        self._store = SettingsStore(config.state / SETTINGS_FILE, load_verification_key(config.site.key))
        settings = self._store.load()
        if settings is not None:
            self.site_systems.apply(settings)
        self._dialers = [Dialer(self, gateway) for gateway in config.gateway]
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def draining(self) -> bool:
        """Whether it is about to stop."""
        return self._stop.is_set()

    @property
    def settings_version(self) -> int:
        """Of the newest settings; 0 for none."""
        return 0 if self._store.current is None else self._store.current.version

    @property
    def signed_settings(self) -> bytes:
        """The newest settings as the site signed them; empty for none."""
        return self._store.signed

    def settings_offered(self, signed: bytes) -> None:
        """Take a document from the site, if it is good and newer, and bring it to every gateway."""
        try:
            settings = self._store.offer(signed)
        except SettingsError as error:
            self.metrics.settings_refused[error.word] += 1
            raise
        if settings is None:
            return
        self.site_systems.apply(settings)
        log.info("new settings", version=settings.version, endpoints=len(settings.endpoints))
        for tunnel in self.tunnels:
            tunnel.send_settings()

    def _take_role(self) -> None:
        """For the site and gateways it is read anew with each dial: this sees that it can be."""
        site_context(self.config)
        with contextlib.suppress(StateError):  # of no matter where no endpoint wants identities signed
            self._signer.load()

    def _take_shown(self) -> None:
        self.site_systems.use(site_system_context(self.config))

    # Health.

    async def unhealthy(self) -> Sequence[str]:
        """A connection point that answers is healthy."""
        return []

    async def not_ready(self) -> Sequence[str]:
        """Why requests cannot pass."""
        reasons = [self.site_reason] if self.site_reason and not self.settings_version else []
        if not self.settings_version:
            reasons.append("no gateway settings yet")
        if not any(tunnel.gateway is not None and not tunnel.leaving.is_set() for tunnel in self.tunnels):
            reasons.append("no tunnel to any gateway")
        if self._stop.is_set():
            reasons.append("draining")
        return reasons

    async def families(self) -> Iterable[Metric]:
        """Its metrics."""
        return families(self)

    # Life.

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop.set)
        for dialer in self._dialers:
            dialer.start()
        feed = asyncio.create_task(follow_settings(self), name="settings")
        sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
        log.info(
            "connection point started",
            gateways=[gateway.address for gateway in self.config.gateway],
            compiled=data_path_is_compiled(),
        )
        await self._stop.wait()
        log.info("draining", tunnels=len(self.tunnels))
        feed.cancel()
        for dialer in self._dialers:
            dialer.stop()
        for tunnel in self.tunnels:
            tunnel.drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.config.limits.drain_timeout_s):
                while self.tunnels:
                    await self.tunnels[0].closed.wait()
        for tunnel in list(self.tunnels):
            tunnel.close()
        sweeper.cancel()
        self.site_systems.close()
        self.access_log.flush()
        log.info("connection point stopped")

    def _sweep(self) -> None:
        now = time.monotonic()
        for tunnel in list(self.tunnels):
            tunnel.sweep(now)
        for pool in self.site_systems.pools.values():
            pool.sweep(now)
        for certificate in self.certificates:
            certificate.look()
        self._loop.call_later(_SWEEP_S, self._sweep)


def run(config: ConnectionPointConfig) -> None:
    """Run a connection point until SIGTERM or SIGINT.

    Raises:
        OperatorError: a file is missing or wrong, or the admin port is busy.
    """
    logging.configure("connection-point", level=config.log.level, form=config.log.format)
    make_private_folder(config.state)
    # Whatever is wrong with the files shows here, once, and not with every attempt.
    site_context(config)
    for gateway in config.gateway:
        gateway_context(config, gateway)
    allow_many_connections()
    sock = listen(config.admin.address, config.admin.port, "health and metrics")[0]

    async def main() -> None:
        point = ConnectionPoint(config)
        app = admin_app(unhealthy=point.unhealthy, not_ready=point.not_ready, metrics=point.families)
        server = admin_server(app)
        admin = asyncio.create_task(server.serve(sockets=[sock]), name="admin")
        await point.run()
        server.should_exit = True
        await admin

    uvloop.run(main())
