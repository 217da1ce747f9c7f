"""One worker process: its listeners, its tunnels, the settings in force, and its books."""

import asyncio
import contextlib
import itertools
import secrets
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import structlog

from causeway.errors import StateError
from causeway.gateway.certificate_status import CertificateStatuses
from causeway.gateway.client_connection import ClientConnection
from causeway.gateway.config import GatewayConfig
from causeway.gateway.contexts import Contexts
from causeway.gateway.exchange import Exchange
from causeway.gateway.failures import FailureLimit
from causeway.gateway.listener import Listener
from causeway.gateway.metrics import EndpointMetrics, WorkerMetrics
from causeway.gateway.publishing import PublishingTable, Route
from causeway.gateway.ticket_keys import TicketKeys
from causeway.gateway.tokens import Tokens
from causeway.gateway.tunnel import GatewayTunnel, Tunnels
from causeway.gateway.tunnel_listener import TunnelListener
from causeway.gateway_settings import GatewaySettings, SettingsError, SettingsStore
from causeway.identity.blocks import Blocks
from causeway.identity.client_trust import ClientTrust
from causeway.identity.entra.key_cache import KeyCache
from causeway.observability.access_log import AccessLog
from causeway.pki.keys import load_verification_key
from causeway.refusals import REFUSALS

log = structlog.get_logger()

SETTINGS_FILE: Final = "gateway-settings.jws"
ENTRA_KEYS_FOLDER: Final = "entra-keys"

_SWEEP_S: Final = 1.0
_FIRST_TUNNEL_S: Final = 3.0
_LAST_WORDS_S: Final = 1.0
_LOOKS_PER_TURN: Final = 500


@dataclass(frozen=True, slots=True)
class WorkerSockets:
    """What a worker inherits from the supervisor, which keeps them open so that a restart refuses nobody."""

    service: socket.socket
    tunnel: socket.socket
    parent: int
    """Read end of a pipe that closes when the supervisor is gone."""
    ready: int
    """Write end of a pipe; gets a byte when the worker serves."""


class Worker:
    """Everything that one process shares among its connections.

    Attributes:
        publishing: the routes in force; None before the first settings.
        client_trust: what the settings in force say of client certificates; None before the first.
        blocks: what is refused.
        tokens: who bears which token.
        roots_removed_at: the version of the settings that last took a trusted root away.
        contexts: what new handshakes use.
        draining: no new connections, and each answer ends its connection.
    """

    def __init__(self, config: GatewayConfig, number: int, sockets: WorkerSockets, ticket_keys: TicketKeys) -> None:
        self.config = config
        self.number = number
        self.loop = asyncio.get_running_loop()
        self.now = time.monotonic  # the loop's own clock counts whole milliseconds
        self.metrics = WorkerMetrics()
        self.connections: set[ClientConnection] = set()
        self.tunnels = Tunnels()
        site_key = load_verification_key(config.site_key)
        self.store = SettingsStore(config.state / SETTINGS_FILE, site_key)
        self.certificate_statuses = CertificateStatuses(self, site_key)
        self.publishing: PublishingTable | None = None
        self.settings_version = 0
        self.client_trust: ClientTrust | None = None
        self._unknown_since: dict[str, float] = {}
        self.blocks = Blocks()
        self.entra_keys = KeyCache(
            config.entra_keys, config.state / ENTRA_KEYS_FOLDER, on_change=self._entra_keys_changed
        )
        self._verifications = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tokens")
        self.tokens = Tokens(
            self._verifications.submit,
            self.loop.call_soon_threadsafe,
            FailureLimit(config.limits.max_invalid_tokens_per_minute),
            self.metrics,
            self.entra_keys.keys,
            self.entra_keys.renew,
        )
        self.roots_removed_at = 0
        self.draining = False
        self.access_log = AccessLog("gateway", enabled=config.log.requests)
        self._sockets = sockets
        self._ids = itertools.count(1)
        self._id_prefix = secrets.token_bytes(6).hex().encode()
        self._bindings = itertools.count(1)
        self._stopped = asyncio.Event()
        self._first_tunnel = asyncio.Event()
        if (settings := self.store.load()) is not None:
            self._apply(settings)
        self.contexts = Contexts(config, ticket_keys, roots=self._roots, version=self.settings_version, now=self.now())
        self.listener = Listener(self, sockets.service)
        self._tunnel_listener = TunnelListener(self, sockets.tunnel)
        self._sweeper: asyncio.TimerHandle | None = None

    # What connections ask for.

    def next_request_id(self) -> bytes:
        """Unique over all workers and restarts: 12 hexadecimal digits of this process, then a count."""
        return b"%b%08x" % (self._id_prefix, next(self._ids))

    def next_binding(self) -> int:
        """A number for a client's connection that is bound to one of the connection point's."""
        return next(self._bindings)

    def note(self, exchange: Exchange, status: int, word: str, peer: bytes) -> None:
        """Book a request that was passed on."""
        route = exchange.route
        seconds = self.now() - exchange.started
        status = status or REFUSALS[word].status
        metrics = route.metrics
        metrics.statuses[status] += 1
        metrics.bytes_in += exchange.bytes_in
        metrics.bytes_out += exchange.bytes_out
        metrics.latency.observe(seconds)
        if word:
            self.metrics.refusals[word] += 1
        self.access_log.write(
            exchange.request_id,
            exchange.method,
            exchange.path,
            route.name,
            status,
            word,
            seconds,
            exchange.bytes_in,
            exchange.bytes_out,
            peer,
        )

    def note_answered(
        self, request_id: bytes, method: bytes, path: bytes, route: Route, sent_bytes: int, peer: bytes
    ) -> None:
        """Book a request that was answered here."""
        route.metrics.statuses[200] += 1
        route.metrics.bytes_out += sent_bytes
        self.access_log.write(request_id, method, path, route.name, 200, "", 0.0, 0, sent_bytes, peer)

    def note_refused(
        self, request_id: bytes, method: bytes, path: bytes, endpoint: bytes, status: int, word: str, peer: bytes
    ) -> None:
        """Book a request that was refused here; one without an endpoint is booked under ``-``."""
        self.metrics.refusals[word] += 1
        self.metrics.endpoints.setdefault(endpoint.decode(), EndpointMetrics()).statuses[status] += 1
        self.access_log.write(request_id, method, path, endpoint, status, word, 0.0, 0, 0, peer)

    # Settings.

    def settings_offered(self, signed: bytes, tunnel: GatewayTunnel) -> None:
        """A connection point brought a settings document."""
        try:
            settings = self.store.offer(signed)
        except (SettingsError, StateError) as error:  # what cannot be kept is not in force, either
            self.metrics.settings_refused[error.word] += 1
            log.warning("settings refused", word=error.word, reason=str(error), connection_point=tunnel.name)
            tunnel.settings_changed(self.settings_version, error.word)
            return
        if settings is None:
            return
        self._apply(settings)
        self.contexts.apply(self._roots, self.settings_version, self.now())
        self._look_again(list(self.connections))
        log.info("settings in force", version=settings.version, endpoints=len(settings.endpoints))
        for each in self.tunnels:
            each.settings_changed(settings.version)

    def _apply(self, settings: GatewaySettings) -> None:
        self.publishing = PublishingTable(settings, self.metrics.endpoints)
        self.client_trust = ClientTrust.of(settings, self._unknown_since)
        self.blocks = Blocks.of(settings)
        self.tokens.apply(settings, self.blocks)
        self.entra_keys.configure(settings.entra_tenants)
        if not set(self._roots) <= set(settings.trusted_roots):
            self.roots_removed_at = settings.version
        self._roots = settings.trusted_roots
        self.settings_version = settings.version

    def _entra_keys_changed(self) -> None:
        self.tokens.keys_changed()
        self._look_again(list(self.connections))

    def _look_again(self, connections: list["ClientConnection"]) -> None:
        """End what is under way for clients that are refused by now, a part of them in each turn of the loop."""
        for connection in connections[-_LOOKS_PER_TURN:]:
            connection.look_again()
        del connections[-_LOOKS_PER_TURN:]
        if connections:
            self.loop.call_soon(self._look_again, connections)

    _roots: tuple[str, ...] = ()

    def reload(self) -> None:
        """Take the server certificate from its files again, without waiting for the next look at them."""
        if self.contexts.reload(self.now()):
            log.info("certificate reloaded")

    # Life.

    async def run(self, ready: Callable[[], object]) -> None:
        """Serve until drained. ``ready`` is called when clients and connection points may come."""
        loop = self.loop
        loop.set_exception_handler(_log_loop_error)
        loop.add_signal_handler(signal.SIGTERM, self.drain)
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # the supervisor decides when to stop
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        loop.add_signal_handler(signal.SIGUSR1, self.hand_over)
        loop.add_reader(self._sockets.parent, self.drain)
        self._tunnel_listener.start()
        # Devices wait in the kernel's queue until a request can pass; without a connection point they get their 503.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._first_tunnel.wait(), _FIRST_TUNNEL_S)
        if not self.draining:
            self.listener.start()
        self._sweep()
        ready()
        await self._stopped.wait()
        self._tunnel_listener.close()
        # Connections first: as long as they have requests under way, the tunnels must stand.
        deadline = self.now() + self.config.limits.drain_timeout_s
        await self._until(lambda: not self.listener.open_connections, deadline)
        for tunnel in list(self.tunnels):
            tunnel.drain()
        await self._until(lambda: not len(self.tunnels), deadline)
        for tunnel in list(self.tunnels):
            tunnel.close()
        # What outlasted the time allowed ends with its tunnel, but not without a word to its client.
        await self._until(lambda: not (len(self.tunnels) or self.listener.open_connections), self.now() + _LAST_WORDS_S)
        self.entra_keys.close()
        self._verifications.shutdown(wait=False, cancel_futures=True)
        self.access_log.flush()

    def tunnel_up(self, tunnel: GatewayTunnel) -> None:
        """A connection point said HELLO."""
        self.tunnels.add(tunnel)
        self._first_tunnel.set()

    def hand_over(self) -> None:
        """A successor listens on our sockets: have the connection points dial it, while we serve on."""
        self._tunnel_listener.close()
        for tunnel in self.tunnels:
            tunnel.renew()

    async def _until(self, done: Callable[[], bool], deadline: float) -> None:
        """Look every few milliseconds: at the end of a process's life that is plainer than an event for each cause."""
        while not done() and self.now() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    def drain(self) -> None:
        """Accept no more, answer what is under way, then stop."""
        if self.draining:
            return
        self.draining = True
        self.loop.remove_reader(self._sockets.parent)
        log.info("draining", connections=len(self.connections))
        self.listener.close()
        for connection in list(self.connections):
            connection.drain()
        self._stopped.set()

    def close_idle(self, count: int) -> int:
        """Close the ``count`` connections that have been idle for longest; returns how many there were."""
        idle = sorted((c for c in self.connections if c.idle), key=lambda connection: connection.deadline)[:count]
        for connection in idle:
            connection.close()
        return len(idle)

    def _sweep(self) -> None:
        now = self.now()
        for connection in list(self.connections):
            connection.check_deadline(now)
        self._look_again(list(self.connections))
        self.listener.sweep(now)
        self.certificate_statuses.sweep(now)
        self.contexts.sweep(now)
        self._sweeper = self.loop.call_later(_SWEEP_S, self._sweep)


def _log_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio would print with a traceback: mostly tunnels whose handshake failed."""
    error = context.get("exception")
    if isinstance(error, OSError | ConnectionError | asyncio.TimeoutError):
        log.info("connection failed", reason=str(error) or type(error).__name__)
    else:
        log.error("internal error", message=context.get("message"), exc_info=error)
