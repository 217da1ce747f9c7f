"""One request on its way: the gateway's end of a stream."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from causeway.http import IDEMPOTENT_METHODS, BadResponse, Framing, RequestHead, checked_trailers, last_chunk
from causeway.recent import Recent
from causeway.refusals import CLIENT_GONE, REFUSALS, Refused
from causeway.tunnel.errors import TunnelError
from causeway.tunnel.frames import END, FrameType
from causeway.tunnel.stream import Stream

if TYPE_CHECKING:
    from causeway.gateway.asker import Asker
    from causeway.gateway.publishing import Route
    from causeway.gateway.tunnel import GatewayTunnel

_REQUEST: Final = int(FrameType.REQUEST)
_RESET: Final = int(FrameType.RESET)
_LENGTH: Final = int(Framing.LENGTH)
_CHUNKED: Final = int(Framing.CHUNKED)
_CLOSE: Final = int(Framing.CLOSE)
_RESPONSE_START: Final = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [^\r\n]*")
_statuses: Final[Recent[int]] = Recent(most=512, most_bytes=128)


def _status_of(start: bytes) -> int:
    """The status in the first line of a RESPONSE frame; 0 where there is none."""
    match = _RESPONSE_START.fullmatch(start)
    if match is None:
        return 0
    status = int(match[1])
    _statuses.keep(start, status)
    return status


class Exchange(Stream):
    """A request passed down a tunnel, and its answer on the way back.

    Attributes:
        client: who asks; None once nobody waits for the answer.
        route: the endpoint it goes to.
        request_id: in headers and in the logs of every hop.
        started: loop time of the request's head.
        status: of the answer; 0 before it began.
        request_done: the whole request has been handed over.
        upgrading: the request asks for a change of protocol that passes; after 101 bytes flow both ways as they come.
    """

    __slots__ = (
        "_begun",
        "_chunked",
        "_flush_due",
        "_out",
        "_repeatable",
        "_tunnel",
        "bytes_in",
        "bytes_out",
        "client",
        "method",
        "path",
        "request_done",
        "request_id",
        "route",
        "started",
        "status",
        "upgrading",
    )

    def __init__(
        self,
        client: "Asker",
        tunnel: "GatewayTunnel",
        number: int,
        route: "Route",
        request_id: bytes,
        started: float,
        head: RequestHead,
    ) -> None:
        super().__init__(tunnel, number)
        self._tunnel = tunnel
        self.client: Asker | None = client
        self.route = route
        self.request_id = request_id
        self.started = started
        self.method = head.method
        self.path = head.path
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.request_done = False
        self.upgrading = False
        self._chunked = False
        self._begun = False
        self._out: list[bytes] = []
        self._flush_due = False
        self._repeatable = b""

    # The request, on its way down.

    def send_head(self, payload: bytes, *, end: bool) -> None:
        """Hand over prelude and head; ``end`` where no body follows."""
        self.request_done = end
        if end and self.method in IDEMPOTENT_METHODS and not self.route.connection_bound:
            self._repeatable = payload
        self._tunnel.send(_REQUEST | END if end else _REQUEST, self.number, payload)

    def tunnel_lost(self, another: "Callable[[], GatewayTunnel]") -> None:
        """The tunnel is gone. A request that may be repeated and has no answer yet goes down another one, once."""
        payload, self._repeatable = self._repeatable, b""
        if not payload or self.status or self.client is None:
            self.fail("CMGService_ConnectionPointLost")
            return
        try:
            tunnel = another()
        except Refused as refused:
            self.fail(refused.refused_word)
            return
        self._tunnel.forget(self, reset=False)
        self.tunnel = self._tunnel = tunnel
        self.number = tunnel.open(tunnel.loop.time())
        tunnel.streams[self.number] = self
        tunnel.send(_REQUEST | END, self.number, payload)

    def send_body(self, data: bytes, *, end: bool) -> None:
        """Hand over a piece of the body."""
        self.bytes_in += len(data)
        self.request_done = end
        self.send_data(data, end=end)

    def end_body(self, trailers: bytes) -> None:
        """Hand over the end of a body in chunks."""
        self.request_done = True
        self.send_end(trailers)

    def pause_source(self) -> None:
        """The tunnel or the site system does not keep up with the upload."""
        if self.client is not None:
            self.client.pause_body()

    def resume_source(self) -> None:
        """It keeps up again."""
        if self.client is not None:
            self.client.resume_body()

    # The answer, on its way up.

    def response_received(self, payload: bytes, end: bool) -> None:
        """An answer's head: one byte that says how the body ends, then status line and header lines.

        With ``end`` and a length, two bytes more say how long the head is, and the whole body follows it.

        Raises:
            TunnelError: it is malformed, the second one, or beyond the credit.
        """
        framing = payload[0] if payload else _CLOSE + 1
        begin, head_end, body = 1, len(payload), b""
        if end and framing == _LENGTH and head_end > 3:
            begin = 3
            head_end = begin + (payload[1] << 8 | payload[2])
            body = payload[head_end:]
            self.count_received(len(body))
        line_end = payload.find(b"\r\n", begin)
        if self.status or framing > _CLOSE or not begin < line_end < head_end <= len(payload):
            raise TunnelError("a malformed or second RESPONSE frame")
        start = payload[begin:line_end]
        status = _statuses.get(start) or _status_of(start)
        if not status:
            raise TunnelError("a malformed status line")
        self.bytes_out = len(body)
        client = self.client
        if client is None:
            return
        if status < 200:
            self._interim(client, status, payload)
            return
        self.status = status
        tail = self._end_of_head(client, without_length=not end and framing in (_CHUNKED, _CLOSE))
        if end:
            self._out = [payload[begin:head_end], b"X-Request-Id: ", self.request_id, tail, body]
            self._complete()
        else:
            self._gather(payload[1:], b"X-Request-Id: ", self.request_id, tail)

    def _interim(self, client: "Asker", status: int, payload: bytes) -> None:
        """The change of protocol; or an interim answer, such as 100 Continue, behind which the final one follows."""
        if status == 101 and self.upgrading:
            self.status = status
            client.close_after = True
            self._gather(payload[1:], b"X-Request-Id: ", self.request_id, b"\r\n\r\n")
        elif client.http_1_1:
            client.write(payload[1:] + b"\r\n")

    def _end_of_head(self, client: "Asker", *, without_length: bool) -> bytes:
        """What stands behind the request's id in the answer's head: how the body ends, and the connection."""
        tail = b"\r\n\r\n"
        if without_length:
            if client.http_1_1:
                self._chunked = True
                tail = b"\r\nTransfer-Encoding: chunked\r\n\r\n"
            else:
                client.close_after = True
        if not self.request_done:
            # Whether the client sends the rest of a body that is no longer wanted is anybody's guess.
            client.close_after = True
        if client.close_after:
            return tail[:-2] + b"Connection: close\r\n\r\n"
        if not client.http_1_1:
            return tail[:-2] + b"Connection: keep-alive\r\n\r\n"
        return tail

    def data_received(self, data: bytes, end: bool) -> None:
        """A piece of the answer's body.

        Raises:
            TunnelError: it came before the head, or beyond the credit.
        """
        if not self.status:
            raise TunnelError("a body before its head")
        if data:
            size = len(data)
            self.count_received(size)
            self.bytes_out += size
            if self.client is None:
                pass
            elif self._chunked:
                self._gather(b"%x\r\n" % size, data, b"\r\n")
            else:
                self._gather(data)
        if end:
            if self._chunked:
                self._out.append(b"0\r\n\r\n")
            self._complete()

    def trailers_received(self, trailers: bytes) -> None:
        """The answer's trailers: they end it.

        Raises:
            TunnelError: they came before the head, or are no trailers.
        """
        if not self.status:
            raise TunnelError("trailers before their head")
        try:
            checked = checked_trailers(trailers, BadResponse)
        except BadResponse as error:
            raise TunnelError(str(error)) from error
        if self._chunked:
            self._out.append(last_chunk(checked))
        self._complete()

    def _gather(self, *pieces: bytes) -> None:
        """Keep what came until its batch of frames has been handled, so that head and body go out together."""
        self._out += pieces
        if not self._flush_due:
            self._flush_due = True
            self._tunnel.after_batch(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        client = self.client
        if client is None:
            return
        if self._out:
            self._begun = True
            out, self._out = self._out, []
            client.writelines(out)
        if client.writable:
            self.grant_credit()

    def writable_again(self) -> None:
        """The client reads again."""
        self.grant_credit()

    def _complete(self) -> None:
        """The answer is whole."""
        self._tunnel.forget(self, reset=not self.request_done)
        client, self.client = self.client, None
        if client is not None:
            client.exchange_done(self, self._out)

    # Ends that are no answers.

    def reset_received(self, word: str) -> None:
        """The connection point gave up, for a reason of the table."""
        self.fail(word if word in REFUSALS else "CMGService_ConnectionPointLost")

    def fail(self, word: str) -> None:
        """Answer with ``word`` where nothing has been answered yet; else break the connection off, so that it shows."""
        self._tunnel.forget(self, reset=False)
        if not self._begun:
            self.status = 0  # what there is of an answer has not been written: it can still become a refusal
            self._out.clear()
        client, self.client = self.client, None
        if client is not None:
            client.exchange_failed(self, word)

    def client_gone(self) -> None:
        """Nobody waits for the answer any more."""
        self.client = None
        if self.number in self._tunnel.streams:
            self._tunnel.forget(self, reset=True)

    def refuse_body(self) -> None:
        """The body turned out too large on the way: give the stream up; the caller answers."""
        self.client = None
        self._tunnel.forget(self, reset=True)

    def reset(self) -> None:
        """Tell the connection point that the stream is given up."""
        self._tunnel.send(_RESET, self.number, CLIENT_GONE.encode())
