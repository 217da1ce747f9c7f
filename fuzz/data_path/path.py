"""Devices at one end, site systems at the other, and everything between them."""

import asyncio
import dataclasses
import time
from typing import Any, cast

from causeway.connection_point.exchange import Exchange as AtConnectionPoint
from causeway.connection_point.service import ConnectionPoint
from causeway.connection_point.tunnel import ConnectionPointTunnel
from causeway.connection_point.upstream import UpstreamConnection
from causeway.connection_point.upstream_pool import UpstreamPool
from causeway.gateway.addresses import Address
from causeway.gateway.client_connection import ClientConnection
from causeway.gateway.exchange import Exchange
from causeway.gateway.ticket_keys import TicketKeys
from causeway.gateway.tunnel import GatewayTunnel
from causeway.gateway.worker import Worker
from causeway.pki.roles import Role
from causeway.refusals import Refused
from causeway.tunnel.handshake import ALPN
from fuzz.data_path.ground import Ground
from fuzz.data_path.transport import MemoryTransport, TlsFacts

_QUIET_TURNS = 3
_MOST_TURNS = 10_000
_PEER = "192.0.2.7"


class _Worker(Worker):
    """A worker that remembers the methods of the requests that it answered, in order."""

    answered: list[bytes]

    def note(self, exchange: Exchange, *rest: Any) -> None:
        self.answered.append(exchange.method)
        super().note(exchange, *rest)

    def note_answered(self, request_id: bytes, method: bytes, *rest: Any) -> None:
        self.answered.append(method)
        super().note_answered(request_id, method, *rest)

    def note_refused(self, request_id: bytes, method: bytes, *rest: Any) -> None:
        self.answered.append(method)
        super().note_refused(request_id, method, *rest)


class _Upstream(UpstreamConnection):
    """A connection to a site system that remembers which requests it was given."""

    def __init__(self, pool: "_Pool") -> None:
        super().__init__(pool)
        self.begun: list[bytes] = []

    def begin(self, owner: AtConnectionPoint, head: bytes) -> None:
        self.begun.append(head)
        super().begin(owner, head)


class _Pool(UpstreamPool):
    """Makes its connections in memory."""

    path: "DataPath"

    async def connect(self) -> UpstreamConnection:
        if self.path.unreachable:
            raise Refused("CMGConnector_SiteSystemUnreachable")
        connection = _Upstream(self)
        transport = MemoryTransport(connection, TlsFacts())
        self.path.site_systems.append(SiteSystem(connection, transport))
        connection.connection_made(transport)
        return connection


class Device:
    """A client's end of its connection."""

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport
        self.received = b""

    def send(self, data: bytes) -> None:
        """Send bytes, whatever they are."""
        self._transport.feed(data)

    def send_end(self) -> None:
        """Send no more."""
        self._transport.feed_end()

    def leave(self) -> None:
        """Go without a word."""
        self._transport.lose(ConnectionResetError())

    def read(self, *, on: bool) -> None:
        """Read on, or stop reading."""
        self._transport.stalled = not on

    @property
    def closed(self) -> bool:
        """Whether the gateway closed the connection."""
        return self._transport.closed

    def collect(self) -> bool:
        """Take what the gateway wrote; False where it was nothing."""
        data = self._transport.take()
        self.received += data
        return bool(data)


class SiteSystem:
    """A site system's end of one connection."""

    def __init__(self, connection: _Upstream, transport: MemoryTransport) -> None:
        self._connection = connection
        self._transport = transport
        self.received = b""

    @property
    def begun(self) -> list[bytes]:
        """The heads of the requests that the connection point meant to send here, in order."""
        return self._connection.begun

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return self._transport.closed

    def answer(self, data: bytes) -> None:
        """Send bytes, whatever they are."""
        self._transport.feed(data)

    def end(self) -> None:
        """Close the connection in good order."""
        self._transport.feed_end()

    def leave(self) -> None:
        """Reset it."""
        self._transport.lose(ConnectionResetError())

    def read(self, *, on: bool) -> None:
        """Read on, or stop reading."""
        self._transport.stalled = not on

    def collect(self) -> bool:
        """Take what the connection point wrote; False where it was nothing."""
        data = self._transport.take()
        self.received += data
        return bool(data)

    def turn(self) -> bool:
        """Have it deliver one piece."""
        return self._transport.turn()


class DataPath:
    """One worker, one tunnel, one connection point.

    Attributes:
        site_systems: the connections that the connection point has made, in order.
        unreachable: site systems take no new connections.
        failures: what escaped to the event loop: always a fault.
    """

    def __init__(self, ground: Ground) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._escaped)
        self._sockets = ground.worker_sockets()
        self.worker = _Worker(
            ground.gateway_config(), 0, self._sockets, TicketKeys(time.monotonic(), tickets=True, days=1)
        )
        self.point: ConnectionPoint = ground.connection_point()
        self.site_systems: list[SiteSystem] = []
        self.unreachable = False
        self.failures: list[dict[str, Any]] = []
        self._devices: list[tuple[Device, MemoryTransport]] = []
        self._address: Address | None = None
        self._dial()
        self._give_pools()

    def _escaped(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.failures.append(context)

    def _give_pools(self) -> None:
        routes = self.point.site_systems.routes
        for name, route in list(routes.items()):
            pool = _Pool(route.pool.origin, None, connect_timeout_s=1.0, idle_timeout_s=1e9, limit=1000)
            pool.path = self
            routes[name] = dataclasses.replace(route, pool=pool)

    def _dial(self) -> None:
        self._cut = False
        self.upper = GatewayTunnel(self.worker)
        self.lower = ConnectionPointTunnel(self.point)
        self._upper = MemoryTransport(self.upper, TlsFacts(role=Role.CONNECTION_POINT, alpn=ALPN))
        self._lower = MemoryTransport(self.lower, TlsFacts(role=Role.GATEWAY, alpn=ALPN))
        self.upper.connection_made(self._upper)
        self.lower.connection_made(self._lower)

    async def open(self) -> None:
        """Bring the tunnel up and the settings in force; dial again where the last tunnel is gone."""
        if self._upper.closed or self._lower.closed:
            self._dial()
        await self.settle()
        assert self.worker.publishing is not None
        assert self.upper.usable

    @property
    def answered_methods(self) -> list[bytes]:
        """The methods of the requests that were answered since the last device came, in order."""
        return self.worker.answered

    def connect(self, certificate: bytes | None = None) -> Device:
        """A device past its handshake; ``certificate`` (DER) is what it showed there."""
        self._address = self.worker.listener.addresses.of(_PEER)
        self._address.connections += 1  # the listener counts before the handshake
        protocol = ClientConnection(self.worker, _PEER, self._address)
        transport = MemoryTransport(protocol, TlsFacts(certificate=certificate))
        self.worker.answered = []
        device = Device(transport)
        self._devices.append((device, transport))
        protocol.connection_made(cast("Any", transport))
        return device

    def stall_tunnel(self, *, on: bool) -> None:
        """Neither end of the tunnel reads, or both do again."""
        self._upper.stalled = self._lower.stalled = on

    def speak_as_gateway(self, data: bytes) -> None:
        """From now on somebody else is at the gateway's end of the tunnel, and says ``data``."""
        self._cut = True
        self._lower.feed(data)

    def speak_as_connection_point(self, data: bytes) -> None:
        """From now on somebody else is at the connection point's end of the tunnel, and says ``data``."""
        self._cut = True
        self._upper.feed(data)

    @property
    def tunnel_stands(self) -> bool:
        """Whether neither end has given the tunnel up."""
        return not self._upper.is_closing() and not self._lower.is_closing()

    def lose_tunnel(self) -> None:
        """The tunnel breaks."""
        self._upper.lose(ConnectionResetError())
        self._lower.lose(ConnectionResetError())

    async def settle(self) -> None:
        """Let everything happen that can."""
        quiet = turns = 0
        while quiet < _QUIET_TURNS:
            quiet = 0 if self._move() else quiet + 1
            turns += 1
            assert turns < _MOST_TURNS, "the data path goes round in circles"
            await asyncio.sleep(0)

    def _move(self) -> bool:
        moved = False
        for device, transport in self._devices:
            moved |= transport.turn() | device.collect()
        for system in self.site_systems:
            moved |= system.collect() | system.turn()
        for sender, receiver in ((self._upper, self._lower), (self._lower, self._upper)):
            data = sender.take()
            if not self._cut:
                receiver.feed(data)
            moved |= bool(data) | receiver.turn()
            if sender.closed and not receiver.is_closing() and not self._cut:
                receiver.feed_end()
                moved = True
        return moved

    async def dismiss(self, device: Device) -> None:
        """A device goes; the connections to site systems that are still good are kept."""
        device.leave()
        await self.settle()
        self._devices = [(other, transport) for other, transport in self._devices if other is not device]
        self.site_systems = [system for system in self.site_systems if not system.closed]

    async def close(self) -> None:
        """Lose the tunnel, too, and close what is open."""
        self.lose_tunnel()
        await self.clear()
        self._sockets.service.close()
        self._sockets.tunnel.close()

    async def clear(self) -> None:
        """Take devices and site systems away; nothing of them may stay behind."""
        self.stall_tunnel(on=False)
        for device, _ in self._devices:
            device.leave()
        for system in self.site_systems:
            system.leave()
        await self.settle()
        self._devices.clear()
        self.site_systems.clear()
        self.unreachable = False
        assert not self.failures, self.failures
        assert not self.worker.connections
        assert not self.worker.listener.open_connections
        assert not len(self.worker.listener.addresses)
        assert self._address is None or not self._address.requests
        for tunnel in (self.upper, self.lower):
            assert not tunnel.streams
            assert tunnel.held_streams == 0
        for route in self.point.site_systems.routes.values():
            assert route.pool.open == 0
