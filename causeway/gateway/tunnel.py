"""The gateway's end of a tunnel, and the choice among several."""

import asyncio
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

import structlog

from causeway import __version__
from causeway.gateway.exchange import Exchange
from causeway.gateway_settings.document import MAX_DOCUMENT_BYTES
from causeway.pki.roles import Role, peer_has_role
from causeway.refusals import Refused
from causeway.tunnel.connection import Tunnel
from causeway.tunnel.errors import TunnelError, TunnelLost, TunnelRefused
from causeway.tunnel.frames import FrameType
from causeway.tunnel.handshake import (
    ALPN,
    HELLO_TIMEOUT_S,
    ConnectionPointHello,
    GatewayHello,
    GatewayStatus,
    decode_message,
    encode_message,
)

if TYPE_CHECKING:
    from causeway.gateway.worker import Worker

log = structlog.get_logger()

_RESPONSE: Final = int(FrameType.RESPONSE)
_TRAILERS: Final = int(FrameType.TRAILERS)
_RESET: Final = int(FrameType.RESET)
_LAST_NUMBER: Final = (1 << 32) - 1
_SILENCE_S: Final = 1.0
_SUSPECT_S: Final = 2.0


class GatewayTunnel(Tunnel):
    """One connection point's tunnel to this worker.

    Attributes:
        name: the connection point's, known after its HELLO.
        usable: requests may go down.
    """

    def __init__(self, worker: "Worker") -> None:
        super().__init__()
        self._worker = worker
        self.name = ""
        self.peer = ""
        self.usable = False
        self.max_streams = 0
        self._next = 1
        self._settings = bytearray()
        self._hello_timer: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        """Check the certificate's role and the protocol's version; the chain was verified in the handshake."""
        transport = cast("asyncio.Transport", self.transport)
        self.peer = str((transport.get_extra_info("peername") or ("?",))[0])
        tls: ssl.SSLObject = transport.get_extra_info("ssl_object")
        if not peer_has_role(tls.getpeercert(), Role.CONNECTION_POINT):
            self.fail(TunnelRefused("the certificate is not a connection point's"))
            return
        if tls.selected_alpn_protocol() != ALPN:
            self.fail(TunnelRefused(f"the other side does not speak {ALPN}"))
            return
        self._hello_timer = self.loop.call_later(
            HELLO_TIMEOUT_S, lambda: self.fail(TunnelError("no HELLO within the time allowed"))
        )

    # Frames.

    def control(self, kind: int, end: bool, payload: bytes) -> None:
        """HELLO first, then settings and drain."""
        if kind == FrameType.HELLO and not self.name:
            self._hello(decode_message(payload, ConnectionPointHello))
        elif not self.name:
            raise TunnelError("a frame before HELLO")
        elif kind == FrameType.SETTINGS:
            self._settings += payload
            if len(self._settings) > MAX_DOCUMENT_BYTES:
                raise TunnelError("gateway settings beyond their limit")
            if end:
                signed, self._settings = bytes(self._settings), bytearray()
                self._worker.settings_offered(signed, self)
        elif kind == FrameType.DRAIN:
            self.drain()
        else:
            raise TunnelError(f"a frame of type {kind} that a connection point never sends")

    def _hello(self, hello: ConnectionPointHello) -> None:
        if self._hello_timer is not None:
            self._hello_timer.cancel()
        self.name = hello.connection_point
        self.max_streams = min(hello.max_streams, self._worker.config.limits.max_streams_per_tunnel)
        config, version = self._worker.config, self._worker.settings_version
        answer = GatewayHello(
            instance=config.name,
            worker=self._worker.number,
            workers=config.workers,
            software=f"causeway/{__version__}",
            settings_version=version,
        )
        self.send(FrameType.HELLO, 0, encode_message(answer))
        self.usable = not self._worker.draining
        if not self.usable:
            self.send(FrameType.DRAIN, 0, b"")
        self._worker.tunnel_up(self)
        log.info("tunnel up", connection_point=self.name, peer=self.peer, software=hello.software)

    def stream_frame(self, kind: int, end: bool, number: int, payload: bytes) -> None:
        """What belongs to a request under way."""
        exchange: Exchange | None = self.streams.get(number)
        if exchange is None:
            self.data_for_unknown(number)
        elif kind == _RESPONSE:
            exchange.response_received(payload, end)
        elif kind == _TRAILERS:
            exchange.trailers_received(payload)
        elif kind == _RESET:
            exchange.reset_received(payload.decode("ascii", "replace"))
        else:
            raise TunnelError(f"a frame of type {kind} that a connection point never sends")

    def data_for_unknown(self, number: int) -> None:
        """Late frames of a stream that was given up are dropped."""
        if number >= self._next:
            raise TunnelError(f"a frame for stream {number}, which was never opened")

    # Requests.

    def open(self, now: float) -> int:
        """The number for a new stream; a tunnel that has been silent is asked for a sign of life along with it.

        Args:
            now: loop time.
        """
        if not self.asked and now - self.last_heard > _SILENCE_S:
            self.ask()
        number = self._next
        self._next = number + 1
        if self._next == _LAST_NUMBER:
            self.drain()  # the numbers are used up: the connection point dials a new tunnel
        return number

    @property
    def suspect(self) -> bool:
        """Asked for a sign of life, and silent: half-open, it may be, long before that is certain."""
        return self.asked > 0.0 and self.loop.time() - self.asked > _SUSPECT_S

    def forget(self, exchange: Exchange, *, reset: bool) -> None:
        """Take a stream off the table; with ``reset`` the connection point is told to give it up."""
        if exchange.number in self.streams:
            del self.streams[exchange.number]
            exchange.drop_held()
            if reset:
                exchange.reset()

    def release_binding(self, binding: int) -> None:
        """The client whose connection was bound to one of the connection point's is gone."""
        self.send(FrameType.RELEASE, 0, binding.to_bytes(8, "big"))

    # Ends.

    def renew(self) -> None:
        """Have the connection point dial this worker's port again: a successor listens there. This tunnel stays."""
        self.send(FrameType.RENEW, 0, b"")

    def drain(self) -> None:
        """Send no more requests down here, and say so: the connection point closes when the last one is answered."""
        if self.usable:
            self.usable = False
            self.send(FrameType.DRAIN, 0, b"")

    def settings_changed(self, version: int, refused: str = "") -> None:
        """Tell the connection point which settings are in force."""
        if self.name:
            self.send(FrameType.STATUS, 0, encode_message(GatewayStatus(settings_version=version, refused=refused)))

    def ended(self, error: TunnelError | None) -> None:
        """Fail what was under way."""
        drained, self.usable = not self.usable, False
        if error is None and not drained:
            error = TunnelLost("the connection point went away without a drain")
        if self._hello_timer is not None:
            self._hello_timer.cancel()
        self._worker.tunnels.remove(self)
        if error is not None:
            if not drained or self.streams:
                self._worker.metrics.tunnels_lost += 1
            if not isinstance(error, TunnelLost):
                self._worker.metrics.tunnel_refusals[error.word] += 1
            log.warning(
                "tunnel lost",
                word=error.word,
                connection_point=self.name or "?",
                peer=self.peer,
                reason=str(error),
                requests_lost=len(self.streams),
            )
        elif self.name:
            log.info("tunnel closed", connection_point=self.name, peer=self.peer)
        for exchange in list(self.streams.values()):
            exchange.tunnel_lost(self._worker.tunnels.choose)


class Tunnels:
    """The tunnels of one worker."""

    def __init__(self) -> None:
        self._all: list[GatewayTunnel] = []
        self._turn = 0

    def __iter__(self) -> Iterator[GatewayTunnel]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, tunnel: GatewayTunnel) -> None:
        """A tunnel whose connection point said HELLO."""
        self._all.append(tunnel)

    def remove(self, tunnel: GatewayTunnel) -> None:
        """A tunnel that ended, whether or not it came so far."""
        if tunnel in self._all:
            self._all.remove(tunnel)

    def choose(self) -> GatewayTunnel:
        """The least busy tunnel, in turn among equals; one that may be half-open only where there is no other.

        Raises:
            Refused: there is none, or all are as busy as they may be.
        """
        tunnels = self._all
        if len(tunnels) == 1:
            best = tunnels[0]
            if best.usable and len(best.streams) < best.max_streams:
                return best
        usable = [tunnel for tunnel in tunnels if tunnel.usable]
        if not usable:
            raise Refused("CMGService_NoConnectionPoint")
        usable = [tunnel for tunnel in usable if not tunnel.suspect] or usable
        self._turn += 1
        turn = self._turn % len(usable)
        best = min(usable[turn:] + usable[:turn], key=lambda tunnel: len(tunnel.streams))
        if len(best.streams) >= best.max_streams:
            raise Refused("CMGConnector_Busy")
        return best
