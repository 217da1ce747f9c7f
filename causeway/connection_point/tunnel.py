"""The connection point's end of a tunnel."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, cast

import structlog

from causeway import __version__
from causeway.connection_point.exchange import Exchange
from causeway.connection_point.upstream import Keeper, UpstreamConnection
from causeway.tunnel.connection import Tunnel
from causeway.tunnel.errors import TunnelError, TunnelLost
from causeway.tunnel.frames import END, MAX_PAYLOAD_BYTES, FrameType
from causeway.tunnel.handshake import (
    ALPN,
    HELLO_TIMEOUT_S,
    ConnectionPointHello,
    GatewayHello,
    GatewayStatus,
    decode_message,
    encode_message,
)
from causeway.tunnel.prelude import split_request

if TYPE_CHECKING:
    from causeway.connection_point.service import ConnectionPoint

log = structlog.get_logger()

_REQUEST: Final = int(FrameType.REQUEST)
_TRAILERS: Final = int(FrameType.TRAILERS)
_RESET: Final = int(FrameType.RESET)


class ConnectionPointTunnel(Tunnel):
    """A tunnel to one worker of one gateway instance.

    Attributes:
        gateway: what the worker said of itself; None before its HELLO.
        gateway_settings_version: the gateway settings in force there.
        ready: set when the worker's HELLO has come; fails where the tunnel ends before.
        leaving: set when it is time to dial another: the worker is being replaced, drains, or is gone.
    """

    def __init__(self, point: "ConnectionPoint") -> None:
        super().__init__()
        self.point = point
        self.gateway: GatewayHello | None = None
        self.gateway_settings_version = 0
        self.ready: asyncio.Future[GatewayHello] = self.loop.create_future()
        self.leaving = asyncio.Event()
        self.closed = asyncio.Event()
        self._drained = False
        self._highest = 0
        self._drain_asked = False
        # By the client's connection and the site system: a client may use several at a time.
        self._bound: dict[bytes, dict[Keeper, UpstreamConnection]] = {}
        self._hello_timer: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        """Say HELLO, and bring the settings along at once."""
        tls: ssl.SSLObject = cast("asyncio.Transport", self.transport).get_extra_info("ssl_object")
        if tls.selected_alpn_protocol() != ALPN:
            self.fail(TunnelError(f"the other side does not speak {ALPN}"))
            return
        hello = ConnectionPointHello(
            connection_point=self.point.config.name,
            software=f"causeway/{__version__}",
            max_streams=self.point.config.limits.max_streams_per_tunnel,
        )
        self.point.tunnels.append(self)
        self.send(FrameType.HELLO, 0, encode_message(hello))
        self.send_settings()
        if self.point.draining:
            self.drain()  # it came up too late; a request may be on its way already
        self._hello_timer = self.loop.call_later(
            HELLO_TIMEOUT_S, lambda: self.fail(TunnelError("no HELLO within the time allowed"))
        )

    def send_settings(self) -> None:
        """Bring the newest settings to the gateway, in frames."""
        signed = self.point.signed_settings
        for start in range(0, len(signed), MAX_PAYLOAD_BYTES):
            last = start + MAX_PAYLOAD_BYTES >= len(signed)
            self.send(
                FrameType.SETTINGS | END if last else FrameType.SETTINGS, 0, signed[start : start + MAX_PAYLOAD_BYTES]
            )

    # Frames.

    def control(self, kind: int, end: bool, payload: bytes) -> None:  # noqa: ARG002  # one signature for both ends
        """HELLO first, then status, drain and released bindings."""
        if kind == FrameType.HELLO and self.gateway is None:
            self._hello(decode_message(payload, GatewayHello))
        elif self.gateway is None:
            raise TunnelError("a frame before HELLO")
        elif kind == FrameType.STATUS:
            self._status(decode_message(payload, GatewayStatus))
        elif kind == FrameType.DRAIN:
            self._drained = True
            self.leaving.set()
            self._close_when_empty()
        elif kind == FrameType.RENEW:
            self.leaving.set()
        elif kind == FrameType.RELEASE:
            for upstream in self._bound.pop(b"%d" % int.from_bytes(payload, "big"), {}).values():
                upstream.abort()
        else:
            raise TunnelError(f"a frame of type {kind} that a gateway never sends")

    def _hello(self, hello: GatewayHello) -> None:
        if self._hello_timer is not None:
            self._hello_timer.cancel()
        self.gateway = hello
        self.gateway_settings_version = hello.settings_version
        log.info("tunnel up", instance=hello.instance, worker=hello.worker, software=hello.software)
        if not self.ready.done():
            self.ready.set_result(hello)

    def _status(self, status: GatewayStatus) -> None:
        self.gateway_settings_version = status.settings_version
        if status.refused:
            gateway = cast("GatewayHello", self.gateway)
            log.warning(
                "the gateway refused the settings",
                word=status.refused,
                instance=gateway.instance,
                worker=gateway.worker,
                in_force=status.settings_version,
            )

    def stream_frame(self, kind: int, end: bool, number: int, payload: bytes) -> None:
        """A new request, or what belongs to one under way."""
        if kind == _REQUEST:
            if number <= self._highest or self.gateway is None:
                raise TunnelError("a stream number that is not higher than the last")
            self._highest = number
            request_id, question = split_request(payload)
            questions = self.point.site_systems.questions
            read = questions.get(question) or questions.read(question)
            if len(self.streams) >= self.point.config.limits.max_streams_per_tunnel:
                self.send(FrameType.RESET, number, b"CMGConnector_Busy")
                return
            exchange = self.streams[number] = Exchange(self, number, request_id, read.prelude)
            exchange.begin(read, end=end)
            return
        under_way: Exchange | None = self.streams.get(number)
        if under_way is None:
            self.data_for_unknown(number)
        elif kind == _TRAILERS:
            under_way.trailers_received(payload)
        elif kind == _RESET:
            under_way.reset_received()
        else:
            raise TunnelError(f"a frame of type {kind} that a gateway never sends")

    def data_for_unknown(self, number: int) -> None:
        """Late frames of a stream that is over are dropped."""
        if number > self._highest:
            raise TunnelError(f"a frame for stream {number}, which was never opened")

    # Streams.

    def bound_upstream(self, binding: bytes, pool: Keeper) -> UpstreamConnection | None:
        """The connection to the site system of ``pool`` that a device's connection is bound to."""
        upstream = self._bound.get(binding, {}).get(pool)
        return upstream if upstream is not None and upstream.alive and upstream.owner is None else None

    def bind_upstream(self, binding: bytes, upstream: UpstreamConnection) -> None:
        """Bind a device's connection to one to a site system; a former one to the same is given up."""
        bound = self._bound.setdefault(binding, {})
        former = bound.get(upstream.pool)
        if former is not None:
            former.abort()
        bound[upstream.pool] = upstream

    def forget(self, exchange: Exchange) -> None:
        """A stream is over."""
        if exchange.number in self.streams:
            del self.streams[exchange.number]
            exchange.drop_held()
            if self._drained:
                self._close_when_empty()

    def sweep(self, now: float) -> None:
        """Called every second."""
        for exchange in list(self.streams.values()):
            exchange.check_deadline(now)

    # Ends.

    def drain(self) -> None:
        """Ask for no more requests; the gateway confirms, and the last answer ends the tunnel."""
        if not self._drain_asked:
            self._drain_asked = True
            self.send(FrameType.DRAIN, 0, b"")

    def _close_when_empty(self) -> None:
        if not self.streams:
            # In a turn of its own: the last answer is written with this one.
            self.loop.call_soon(self.close)

    def ended(self, error: TunnelError | None) -> None:
        """Give up what was under way."""
        if self._hello_timer is not None:
            self._hello_timer.cancel()
        if self in self.point.tunnels:
            self.point.tunnels.remove(self)
        if error is None and not self._drained and not self._drain_asked:
            error = TunnelLost("the gateway went away without a drain")
        where = {} if self.gateway is None else {"instance": self.gateway.instance, "worker": self.gateway.worker}
        if error is not None:
            log.warning("tunnel lost", reason=str(error), requests_lost=len(self.streams), **where)
        else:
            log.info("tunnel closed", **where)
        for exchange in list(self.streams.values()):
            exchange.tunnel_lost()
        for bound in self._bound.values():
            for upstream in bound.values():
                upstream.abort()
        if not self.ready.done():
            self.ready.set_exception(error or TunnelError("closed before HELLO"))
            self.ready.exception()  # whoever waits has it; nobody has to
        self.leaving.set()
        self.closed.set()
